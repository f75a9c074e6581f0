"""One contract in several versions: whatever keeps the one reads in the words of the other."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import NotThere
from hub.standard import SERVICES, Example, Service, in_version, read_data, without_derived

TODAY = date(2026, 3, 10)
FEW = settings(max_examples=150, deadline=None, derandomize=True)
BIN = SERVICES["missed-bin"]
OLD, NEW = (BIN.examples(version, today=TODAY)[0] for version in (1, 2))
APART: list[dict[str, Any]] = [
    {"waste_type": "refuse", "container_code": "RES240", "collection_date": "2026-03-05", "reason": "part_collected"},
    {"waste_type": "food", "collection_date": "2026-03-09", "reason": "other", "reason_other": "A fox"},
    {"waste_type": "glass"},
]
MOVED = ("collection_date", "crew_reason_seen", "service_id", "service_item_name", "round_ref", "reason_other")


def data(body: Any) -> dict[str, Any]:
    return read_data(dict(body), today=TODAY).data


def bins(*containers: dict[str, Any], version: int = 2, **details: Any) -> dict[str, Any]:
    details = {"containers": list(containers), **details}
    return data({**OLD[0].body, "version": version, "details": details})


def down(*containers: dict[str, Any]) -> Any:
    return in_version(bins(*containers), 1)


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.code)
def test_every_version_says_what_it_changed_against_the_one_before(service: Service) -> None:
    first, *later = sorted(service.versions)
    assert (first, list(service.changes)) == (1, later)
    assert all(change.about for change in service.changes.values())


@pytest.mark.parametrize("example", BIN.good, ids=lambda example: f"{example.version}: {example.why}")
@pytest.mark.parametrize("version", BIN.versions)
def test_what_keeps_one_version_keeps_every_other(example: Example, version: int) -> None:
    moved = in_version(data(example.body), version)
    again = read_data(without_derived(dict(moved)), today=TODAY)
    assert (again.data, again.data["version"]) == (moved, version)


@pytest.mark.parametrize("example", OLD, ids=lambda example: example.why)
def test_an_older_submission_loses_nothing_on_its_way_there_and_back(example: Example) -> None:
    before = data(example.body)
    assert in_version(in_version(before, 2), 1) == before


def test_what_speaks_the_version_already_is_left_alone() -> None:
    one = data(OLD[0].body)
    assert in_version(one, 1) is one


def test_what_the_hub_adds_stays_beside_it() -> None:
    assert in_version({**data(OLD[1].body), "hub": {"reference": "ABCD-EFGH"}}, 2)["hub"] == {"reference": "ABCD-EFGH"}


def test_a_version_that_there_is_not_is_not_there() -> None:
    with pytest.raises(NotThere, match="there is 1, 2"):
        in_version(data(OLD[0].body), 3)


def test_what_was_said_once_is_said_of_each_container() -> None:
    old = bins({"waste_type": "refuse"}, {"waste_type": "food"}, version=1, collection_date="2026-03-09", assisted=True)
    once = {"collection_date": "2026-03-09", "reason": "not_collected"}
    assert in_version(old, 2)["details"] == {
        "assisted": True,
        "containers": [{"waste_type": "refuse", **once}, {"waste_type": "food", **once}],
    }


def test_what_all_containers_agree_on_is_said_once() -> None:
    same = {"collection_date": "2026-03-09", "reason": "spillage", "round_ref": "R-1"}
    made = down({"waste_type": "refuse", **same}, {"waste_type": "food", **same})
    assert made["details"] == {**same, "containers": [{"waste_type": "refuse"}, {"waste_type": "food"}]}
    assert "extra" not in made


def test_what_they_do_not_agree_on_is_never_said_of_all() -> None:
    made = down(*APART)
    told = ["refuse (RES240): part_collected", "food: A fox", "glass: not_collected"]
    assert "collection_date" not in made["details"]
    assert (made["details"]["reason"], made["details"]["reason_other"]) == ("other", "; ".join(told))
    assert made["extra"] == {
        "Collection day": ["refuse (RES240): 2026-03-05", "food: 2026-03-09"],
        "What happened": told,
    }


def test_a_day_of_one_container_is_not_the_day_of_another() -> None:
    made = down({"waste_type": "refuse", "collection_date": "2026-03-09"}, {"waste_type": "food"})
    assert made["details"].keys() == {"containers", "reason"}
    assert made["extra"] == {"Collection day": ["refuse: 2026-03-09"]}


def test_an_answer_of_the_front_end_is_not_written_over() -> None:
    body = {**OLD[0].body, "version": 2, "extra": {"Collection day": "Monday"}, "details": {"containers": APART}}
    extra = in_version(data(body), 1)["extra"]
    assert (extra["Collection day"], len(extra["Collection day *"])) == ("Monday", 2)


def test_words_too_long_for_the_older_version_stand_whole_in_extra() -> None:
    made = down({"waste_type": "food", "reason": "other", "reason_other": "x" * 199}, {"waste_type": "glass"})
    assert len(made["details"]["reason_other"]) == 200
    assert made["extra"]["What happened"] == [f"food: {'x' * 199}", "glass: not_collected"]


words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=64)
containers = st.fixed_dictionaries(
    {"waste_type": st.sampled_from(["refuse", "food", "other"])},
    optional={
        "container_code": words,
        "quantity": st.integers(1, 20),
        "reason": st.sampled_from(["not_collected", "spillage"]),
        "collection_date": st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(str),
        "crew_reason_seen": words,
        "service_id": words,
        "service_item_name": words,
        "round_ref": words,
    },
) | st.fixed_dictionaries({"waste_type": st.just("glass"), "reason": st.just("other"), "reason_other": words})


@FEW
@given(st.lists(containers, min_size=1, max_size=5))
def test_the_older_version_of_anything_keeps_its_contract_and_holds_every_word(listed: list[dict[str, Any]]) -> None:
    made = down(*listed)
    read_data(without_derived(made), today=TODAY)
    held = str({"details": made["details"], "extra": list(made.get("extra", {}).values())})
    assert len(made["details"]["containers"]) == len(listed)
    assert all(repr(one[name])[1:-1] in held for one in listed for name in MOVED if name in one)

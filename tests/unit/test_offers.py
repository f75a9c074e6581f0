"""The `open311:` block of a profile: what is read of it, and every way in which it can be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from hub.core.offer import Automated, Datatype, Offer, read_offer, told_apart
from hub.council_files import read_yaml
from hub.intake.open311.catalogue import Entry, asked, defined, listed

WHOLE = """\
open311:
  name: "Fly-tipping "
  description: Waste on the ground
  groups: [Street, Waste]
  keywords: private, waste_only
  type: batch
  attributes:
    - {code: land, description: Which land?, values: [Road, Park], required: true}
    - {code: kinds, datatype: multivaluelist, values: {a: A, b: B}, order: 9}
    - {code: easting, datatype: number, automated: server_set, variable: false}
"""


@dataclass(frozen=True)
class Shown:
    """As much of a profile as clients see."""

    file: str
    service: str
    offer: Offer | None = None
    shared: bool = False


def read(text: str) -> tuple[Offer | None, list[str]]:
    doc, _ = read_yaml(text, "x.yaml")
    assert doc is not None
    offer, findings = read_offer(doc.data["open311"], places=doc.places)
    return offer, [f"{each.code}:{each.line}" for each in findings]


def whole() -> Offer:
    offer, findings = read(WHOLE)
    assert offer is not None and findings == []
    return offer


def test_a_block_is_read_whole() -> None:
    offer = whole()
    assert (offer.name, offer.groups, offer.keywords, offer.private) == (
        "Fly-tipping", ("Street", "Waste"), ("private", "waste_only"), True,
    )  # fmt: skip
    land, kinds, easting = offer.attributes
    assert (land.datatype, land.values, land.order) == (Datatype.SINGLE, (("Road", "Road"), ("Park", "Park")), 1)
    assert (kinds.datatype, kinds.order) == (Datatype.MULTI, 9)
    assert (easting.automated, easting.variable) == (Automated.SERVER_SET, False)


def test_a_definition_asks_for_what_the_mapping_reads_and_clients_send_only_when_asked() -> None:
    made = asked(whole(), {"uprn", "easting", "made_up"})
    assert [each.code for each in made.attributes] == ["land", "kinds", "easting", "fixmystreet_id", "uprn"]
    assert all(each.automated for each in made.attributes[2:])


def test_a_definition_always_asks_for_the_number_that_makes_a_repeat_harmless() -> None:
    assert [each.code for each in asked(Offer(name="A"), ()).attributes] == ["fixmystreet_id"]


def test_attributes_are_told_in_their_order() -> None:
    told = defined(Entry(code="x", service="fly-tipping", offer=whole()))
    assert [each["code"] for each in told["attributes"]] == ["land", "easting", "kinds"]


@pytest.mark.parametrize(("groups", "told"), [((), {}), (("A",), {"group": "A"}), (("A", "B"), {"groups": ["A", "B"]})])
def test_one_group_is_told_as_one_and_several_as_several(groups: tuple[str, ...], told: dict[str, Any]) -> None:
    made = listed(Entry(code="x", service="fly-tipping", offer=Offer(name="X", groups=groups)))
    assert {key: value for key, value in made.items() if key.startswith("group")} == told


@pytest.mark.parametrize(
    ("block", "finding"),
    [
        ("open311: words", "wrong_type:1"),
        ("open311: {group: A}", "missing_key:1"),
        ("open311:\n  name: A\n  nmae: B", "unknown_key:3"),
        ("open311:\n  name: A\n  type: soon", "wrong_enum:3"),
        ("open311:\n  name: [A]", "wrong_type:2"),
        ("open311:\n  name: A\n  group: A\n  groups: [B]", "wrong_type:3"),
        ("open311:\n  name: A\n  attributes: {a: b}", "wrong_type:3"),
        ("open311:\n  name: A\n  attributes:\n    - words", "wrong_type:4"),
        ("open311:\n  name: A\n  attributes:\n    - {description: A}", "missing_key:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: 'a]b'}", "bad_slug:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a}\n    - {code: a}", "duplicate_key:5"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a, datatype: nubmer}", "wrong_enum:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a, datatype: singlevaluelist}", "missing_key:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a, datatype: number, values: [b]}", "wrong_type:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a, values: {b: [c]}}", "wrong_type:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a, required: yes}", "wrong_type:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a, order: first}", "wrong_type:4"),
        ("open311:\n  name: A\n  attributes:\n    - {code: a, automated: robot}", "wrong_enum:4"),
    ],
)
def test_what_is_wrong_is_found_where_it_stands(block: str, finding: str) -> None:
    offer, findings = read(block)
    assert offer is None and findings == [finding]


def test_two_services_of_one_name_are_a_warning_for_clients_leave_both_out() -> None:
    profiles = {code: Shown(f"{code}.yaml", "street-issue", Offer(name="Pothole")) for code in ("a", "b")}
    [finding] = told_apart(profiles)
    assert (finding.file, finding.code, finding.severity.value) == ("b.yaml", "duplicate_name", "warning")


def test_a_code_that_cannot_stand_in_an_address_is_an_error() -> None:
    findings = told_apart({code: Shown(f"{code}.yaml", code) for code in ("Größe", "a?b", "A & B (1)")})
    assert [(each.file, each.code) for each in findings] == [("Größe.yaml", "bad_slug"), ("a?b.yaml", "bad_slug")]


def test_a_pattern_beside_a_councils_own_is_not_shown_and_so_not_twice() -> None:
    own, shared = (
        Shown("n/BIN.yaml", "missed-bin", Offer(name="Bin")),
        Shown("p", "missed-bin", Offer(name="Bin"), True),
    )
    assert list(told_apart({"BIN": own, "missed-bin": shared})) == []

"""Which destinations get a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.core.compiling import compile_condition
from hub.core.findings import Place
from hub.core.mapping import CompiledMapping, Condition
from hub.core.routing import plan
from hub.model import Takes
from tests.folders import mapping

BINS = {"details": {"containers": [{"waste_type": "refuse"}, {"waste_type": "food"}]}}


@dataclass(frozen=True, kw_only=True)
class Road:
    name: str
    destination_id: str = "northborough/waste"
    when: Condition | None = None
    mapping: CompiledMapping = field(default_factory=lambda: mapping("a: 1"))
    tables: Mapping[str, Any] = field(default_factory=dict)
    takes: Takes = Takes.LIVE


def when(expression: str | bool) -> Condition:
    condition, findings = compile_condition(expression, Place(file="northborough/council.yaml", line=7))
    assert condition is not None, findings
    return condition


def split() -> CompiledMapping:
    return mapping("a: '{{ c.waste_type }}'", head="each: c in details.containers\n")


def test_each_route_makes_a_delivery_in_the_order_of_the_file() -> None:
    made = plan(BINS, [Road(name="one"), Road(name="two", destination_id="northborough/crm")])
    assert [(each.route, each.destination, each.item_index) for each in made.deliveries] == [
        ("one", "northborough/waste", None),
        ("two", "northborough/crm", None),
    ]
    assert made.faults == ()


def test_a_split_makes_one_delivery_for_each_element_in_order() -> None:
    made = plan(BINS, [Road(name="bins", mapping=split())])
    assert [each.item_index for each in made.deliveries] == [0, 1]


def test_a_split_of_one_element_still_names_it() -> None:
    made = plan({"details": {"containers": [{"waste_type": "food"}]}}, [Road(name="bins", mapping=split())])
    assert [each.item_index for each in made.deliveries] == [0]


def test_a_route_whose_when_does_not_hold_makes_none() -> None:
    with_email = when("{{ contact.email is defined }}")
    made = plan(BINS, [Road(name="all"), Road(name="crm", when=with_email)])
    assert [each.route for each in made.deliveries] == ["all"]
    assert plan({"contact": {"email": "a"}}, [Road(name="crm", when=with_email)]).deliveries


def test_a_when_may_be_a_literal() -> None:
    assert plan({}, [Road(name="a", when=when(True))]).deliveries
    assert not plan({}, [Road(name="a", when=when(False))]).deliveries


def test_a_when_that_fails_is_a_persons_and_spoils_no_other_route() -> None:
    made = plan(BINS, [Road(name="bad", when=when("{{ contact.vip == 'Marker' }}")), Road(name="good")])
    assert [each.route for each in made.deliveries] == ["good"]
    assert made.faults[0].startswith("route bad: northborough/council.yaml:7 when: `contact` is not in this submission")
    assert "Marker" not in made.faults[0]


def test_a_when_that_is_neither_true_nor_false_is_a_persons() -> None:
    made = plan({"channel": "web"}, [Road(name="odd", when=when("{{ channel }}"))])
    assert "must be true or false" in made.faults[0]


def test_an_each_that_fails_is_a_persons() -> None:
    made = plan({"details": {}}, [Road(name="bins", mapping=split())])
    assert made.deliveries == ()
    assert "`details.containers` is not in this submission" in made.faults[0]


def test_an_each_over_something_else_than_a_list_is_a_persons() -> None:
    made = plan({"details": {"containers": "Marker"}}, [Road(name="bins", mapping=split())])
    assert "only a list" in made.faults[0]
    assert "Marker" not in made.faults[0]


def test_whatever_goes_wrong_a_plan_is_made() -> None:
    made = plan(BINS, [Road(name="broken", mapping=None)])  # type: ignore[arg-type]
    assert "could not be evaluated" in made.faults[0]


def test_a_submission_that_no_route_takes_is_a_persons() -> None:
    assert plan(BINS, []).faults == (
        "no route takes this submission; add a route to council.yaml, then `hub submissions replay`",
    )


def test_a_route_sees_its_own_tables() -> None:
    assert plan({}, [Road(name="a", when=when("{{ pilot }}"), tables={"pilot": True})]).deliveries


TEST = {**BINS, "test": True}


def taken(submission: Mapping[str, Any], *takes: Takes) -> list[str]:
    made = plan(submission, [Road(name=each.value, takes=each) for each in takes])
    return [each.route for each in made.deliveries]


def test_a_test_goes_only_to_destinations_that_take_tests() -> None:
    assert taken(TEST, *Takes) == ["test", "both"]
    assert taken(BINS, *Takes) == taken({**BINS, "test": False}, *Takes) == ["live", "both"]


def test_a_test_that_nobody_takes_says_what_to_add() -> None:
    made = plan(TEST, [Road(name="live")])
    assert made.deliveries == () and "`takes: test`" in made.faults[0]
    made = plan(BINS, [Road(name="test", takes=Takes.TEST)])
    assert made.deliveries == () and "`takes: live`" in made.faults[0]


def test_a_condition_is_not_even_asked_where_it_may_not_go() -> None:
    broken = Road(name="broken", when=when("{{ details.containers == 'x' and nothing.here }}"), takes=Takes.TEST)
    assert plan(BINS, [broken, Road(name="well")]).faults == ()

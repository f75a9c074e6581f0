"""What an operation would do, on paper: counted by its own rules, and compared without a word of anybody's."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from hub.bulk_preview import Previewer
from hub.core.bulk import OperationKind
from hub.councils import load
from hub.model import ReplaySafety, StepState
from hub.past import Past
from hub.store import bulk, destinations, generations
from hub.store.bulk import Wish
from hub.store.deliveries import DeliveryFilter
from hub.store.store import Store
from tests.bodies import MARKER, complaint
from tests.integration.intake_house import REGISTRY
from tests.stores import SEALER, WASTE, accept, add_destination, claim, conclude, terms

COUNCIL = """
council: Northborough
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
  waste: {connector: scriptable, settings: {url: "http://127.0.0.1:9"}}
routes:
  - {service: complaint, to: waste, mapping: complaint.yaml, name: "missed-bin->waste"}
"""
MAPPING = """
service: complaint
connector: scriptable
create:
  operation: CreateCase
  record:
"""


def files(**record: str) -> dict[str, str]:
    fields = "".join(f"    {name}: {rule}\n" for name, rule in record.items())
    return {"northborough/council.yaml": COUNCIL, "northborough/complaint.yaml": MAPPING + fields}


@dataclass
class Desk:
    store: Store
    newest: int = 0
    safety: ReplaySafety = ReplaySafety.UNSAFE

    def adopt(self, **record: str) -> None:
        """These fields are the mapping from now on."""
        tree = files(**record)
        self.newest = self.store.transact_now(lambda c: generations.add(c, tree, by="tests"))
        loaded = load(tree, registry=REGISTRY, secrets=None, generation=self.newest, cases=False)
        assert loaded.councils is not None, loaded.findings
        self.councils = loaded.councils

    async def died(self, number: int = 1, *, outcome: str = "refused", body: dict[str, Any] | None = None) -> None:
        """So many were tried by the mapping of the moment, and are dead letters."""
        raw = json.dumps({**complaint(), **(body or {})}).encode()
        for _ in range(number):
            made = accept()
            sealed = SEALER.seal(raw, place=f"submission_content|{made.id}|1")
            await self.store.write(replace(made, service="complaint", body=sealed))
            [one] = await claim(self.store, on=replace(terms(), generation=self.newest))
            await self.store.write(conclude(one, state=StepState.DEAD, outcome=outcome, their_reference=None))

    async def preview(self, **wish: Any) -> dict[str, Any]:
        values = {"kind": OperationKind.REPLAY, "reason": "mended", "rate": 5.0, "wanted": DeliveryFilter(), **wish}
        made = await self.store.transact(lambda c: bulk.draft(c, Wish(**values), by="ann"))
        await self.store.transact(lambda c: bulk.mark(c, made))
        previewer = Previewer(
            store=self.store, councils=lambda: self.councils, past=Past(self.store, registry=REGISTRY),
            safety_of=lambda *_: self.safety,
        )  # fmt: skip
        return await previewer.make(made)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def changes(preview: dict[str, Any]) -> list[dict[str, Any]]:
    [place] = preview["destinations"]
    return list(place["changes"])


async def test_it_counts_by_destination_what_would_go_and_for_how_long(desk: Desk) -> None:
    desk.adopt(title='"x"')
    await desk.died(3)
    await desk.died(2, outcome="unclear")
    await desk.store.write(accept())
    await desk.store.transact(lambda c: destinations.pause(c, WASTE, by="ann", reason="x"))
    told = await desk.preview(rate=0.5)
    assert (told["count"], told["goes"], told["apart"], told["rate"], told["seconds"]) == (6, 3, 2, 0.5, 6)
    [place] = told["destinations"]
    assert (place["destination"], place["replay_safety"], place["paused"], place["seconds"]) == (
        WASTE,
        "unsafe",
        True,
        6,
    )
    found = {(one["state"], one["goes"]): one for one in told["found"]}
    assert [found[key]["count"] for key in (("dead", True), ("dead", False), ("queued", False))] == [3, 2, 1]
    assert "second" not in found["queued", False]["why"] and "twice" in found["dead", False]["why"]


async def test_a_slow_destination_takes_longer_than_the_rate_says(desk: Desk) -> None:
    desk.adopt(title='"x"')
    await desk.died(4)
    add_destination(desk.store, WASTE, per_second=0.1)
    assert (await desk.preview(rate=2.0))["seconds"] == 40


async def test_the_same_files_send_the_same(desk: Desk) -> None:
    desk.adopt(title='"{{ details.what_happened }}"')
    await desk.died(2)
    assert changes(await desk.preview()) == [{"kind": "unchanged", "count": 2}]


async def test_changed_leaves_are_named_and_never_quoted(desk: Desk) -> None:
    desk.adopt(title='"{{ details.what_happened }}"', area='"{{ details.service_area }}"', old='"x"')
    await desk.died(2)
    desk.adopt(title='"{{ details.what_happened }}"', area='"{{ contact.full_name }}"', new='"y"')
    told = await desk.preview()
    assert changes(told) == [{"kind": "changed", "count": 2, "changed": ["area"], "added": ["new"], "removed": ["old"]}]
    assert MARKER not in json.dumps(told)


async def test_lists_and_whole_maps_are_told_by_their_rule_and_not_by_what_is_in_them(desk: Desk) -> None:
    loop = "[{part: '{{ details.what_happened }}', n: 1}, {part: b, n: 2}]"
    desk.adopt(parts=loop, all="'{{ details }}'", only="'{{ details }}'")
    await desk.died()
    desk.adopt(parts=loop.replace("n: 2", "n: 3"), all="'{{ contact }}'", only="'{{ details }}'")
    [change] = changes(await desk.preview())
    assert change["changed"] == ["all", "parts[*].n"] and MARKER not in json.dumps(change)


async def test_what_failed_before_and_maps_now_is_mended(desk: Desk) -> None:
    desk.adopt(title='"{{ details.previous_reference | required }}"')
    await desk.died(3)
    desk.adopt(title='"{{ details.what_happened }}"')
    assert changes(await desk.preview()) == [{"kind": "mended", "count": 3}]


async def test_what_would_fail_is_told_with_its_place(desk: Desk) -> None:
    desk.adopt(title='"x"')
    await desk.died()
    desk.adopt(title='"{{ details.previous_reference | required }}"')
    await desk.died()
    told = changes(await desk.preview())
    assert {one["kind"] for one in told} == {"fails_now", "still_fails"}
    assert all(one["where"].startswith("northborough/complaint.yaml:7 title") for one in told), told


async def test_an_operation_may_name_the_files_it_uses(desk: Desk) -> None:
    desk.adopt(title='"x"')
    await desk.died()
    desk.adopt(title='"y"')
    assert changes(await desk.preview(generation=1)) == [{"kind": "unchanged", "count": 1}]


async def test_twenty_of_a_destination_are_compared_and_all_are_counted(desk: Desk) -> None:
    desk.adopt(title='"x"')
    await desk.died(23)
    told = await desk.preview()
    assert told["count"] == 23 and changes(told) == [{"kind": "unchanged", "count": 20}]


async def test_a_discard_compares_nothing(desk: Desk) -> None:
    desk.adopt(title='"x"')
    await desk.died()
    told = await desk.preview(kind=OperationKind.DISCARD, rate=None)
    assert (told["goes"], told["seconds"], changes(told)) == (1, None, [])

"""A backup is put back while the councils' systems have gone on: nothing is made twice, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.cli.restore import carry_out, terms_of
from tests.places import CLASSES, Place, is_at_rest, kind_of, offices_of, place_in, standing, until

OF_EACH = 12

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with offices_of(*CLASSES) as offices:
        yield place_in(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}", offices)


async def live_until_the_disk_is_lost(place: Place) -> datetime:
    """Sixty submissions; a backup is made half-way, and the hub goes on for a while. When the backup was made."""
    for office in place.offices.values():
        office.behave("slow", seconds=0.8)
    async with place.hub() as hub:
        for _ in range(OF_EACH):
            for kind in CLASSES:
                await place.publish(hub, kind)
        await until(lambda: sum(place.made().values()) >= 20)
        backed_up = datetime.now(UTC)
        place.back_up("backup.db")
        await until(lambda: sum(place.made().values()) >= 45)
    for office in place.offices.values():
        office.behave("ok")
    return backed_up


async def test_nothing_is_made_twice_and_every_one_is_delivered_or_with_a_person(place: Place) -> None:
    backed_up = await live_until_the_disk_is_lost(place)
    there = place.made()
    place.put_back("backup.db")
    with place.core() as core:
        before = standing(core.store)
        moved = {ours: row for ours, row in before.items() if row.state in ("queued", "sending")}
        assert {kind_of(row) for row in moved.values()} == set(CLASSES), "the backup came too early or too late"
        assert set(there) & set(moved), "nothing was sent after the backup"
        carry_out(core, terms_of(core, since=backed_up, reason=None))
        after = {ours: row for ours, row in standing(core.store).items() if ours in moved}
        for row in after.values():
            assert (row.state, row.due_at is not None) == WANTED[kind_of(row)]
    async with place.hub() as hub:
        await until(lambda: all(map(is_at_rest, standing(hub.core.store).values())))
        rested = standing(hub.core.store)
    made = place.made()
    assert [ours for ours, times in made.items() if times > 1] == []
    assert {ours for ours, row in rested.items() if row.state == "unclear"} == {
        ours for ours, row in moved.items() if kind_of(row) == "unsafe"
    }
    assert {ours for ours, row in rested.items() if row.state == "delivered"} <= set(made)
    assert len(rested) == OF_EACH * len(CLASSES)


#: State, and whether it is due, of what had not been delivered when the backup was made.
WANTED = {
    "idempotent": ("queued", True),
    "rejects": ("queued", True),
    "lookup": ("unclear", True),
    "listing": ("unclear", True),
    "unsafe": ("unclear", False),
}

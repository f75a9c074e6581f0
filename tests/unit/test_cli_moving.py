"""One verb said of many deliveries: each in turn, with an account of each."""

from __future__ import annotations

import time
from typing import Any

from hub.cli.desk import DeskRefused, Query
from hub.cli.moving import each


class Desk:
    """Moves every delivery but the one called `sending`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> Any:
        self.asked.append(f"{method} {path} {body}")
        if "sending" in path:
            raise DeskRefused(409, {"detail": "It is being sent right now."})
        return delivery(path.split("/")[3], state="queued")


def delivery(id: str, *, state: str = "dead") -> dict[str, Any]:
    return {
        "id": id,
        "our_reference": id,
        "destination": "a/b",
        "service": "complaint",
        "state": state,
        "fault_code": None,
    }


async def test_one_that_is_refused_does_not_keep_the_rest() -> None:
    moved = await each(Desk(), [delivery("one"), delivery("sending"), delivery("two")], verb="replay", body={})
    assert [one.done for one in moved] == [True, False, True]
    assert moved[1].error == "It is being sent right now."
    assert moved[0].as_dict()["state"] == "queued"


async def test_the_reason_goes_with_every_one() -> None:
    desk = Desk()
    await each(desk, [delivery("one")], verb="discard", body={"reason": "done by hand"})
    assert desk.asked == ["POST /v1/deliveries/one/discard {'reason': 'done by hand'}"]


async def test_a_rate_is_kept() -> None:
    began = time.monotonic()
    await each(Desk(), [delivery(str(number)) for number in range(4)], verb="replay", body={}, rate=50)
    assert time.monotonic() - began >= 0.06

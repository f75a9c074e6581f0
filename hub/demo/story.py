"""What happens in the demo, act by act: sent, refused, retried, mended, arrived."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hub.demo import bodies, http
from hub.demo.letter import Letter
from hub.demo.stage import DemoFailed, Stage

_REFERENCE = re.compile(r"\b[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\b")
_LOOK_EVERY = timedelta(seconds=0.1)

Tell = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Sent:
    """One submission: what it shows, and what the hub said of it when last asked."""

    letter: Letter
    id: str
    reference: str
    now: dict[str, Any] = field(default_factory=dict)

    @property
    def deliveries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.now.get("deliveries", [])
        return found

    @property
    def states(self) -> list[str]:
        return [delivery["state"] for delivery in self.deliveries]

    def as_dict(self) -> dict[str, Any]:
        shown = ("destination", "connector", "state", "reference", "our_reference", "attempts")
        return {
            "reference": self.reference,
            "council": self.letter.body["council"],
            "service": self.letter.body["service"],
            "front_end": self.letter.front_end,
            "status": self.now.get("status"),
            "deliveries": [{name: delivery[name] for name in shown} for delivery in self.deliveries],
        }


@dataclass(slots=True, kw_only=True)
class Played:
    """What was sent, by the part that it plays, and what the back offices hold at the end."""

    ordinary: list[Sent] = field(default_factory=list)
    split: Sent | None = None
    refused: Sent | None = None
    busy: Sent | None = None
    unmapped: Sent | None = None
    states_before_mending: list[str] = field(default_factory=list)
    ledgers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def all(self) -> list[Sent]:
        parts = (self.busy, *self.ordinary, self.split, self.refused, self.unmapped)
        return [sent for sent in parts if sent is not None]


class Story:
    """Plays on a stage, and tells each act in a line. Every wait ends by `deadline` (monotonic seconds)."""

    def __init__(self, stage: Stage, *, today: date, tell: Tell, deadline: float) -> None:
        self._stage = stage
        self._today = today
        self._tell = tell
        self._deadline = deadline

    def play(self) -> Played:
        """Every act in order. Raises DemoFailed when one cannot go on; what only went wrong is for the judge."""
        played = Played()
        self._while_the_crm_is_away(played)
        self._send_the_rest(played)
        self._mend_and_replay(played)
        self._read_ledgers(played)
        return played

    def _while_the_crm_is_away(self, played: Played) -> None:
        self._stage.simulators["northborough/crm"].running.behave("unavailable", times=1)
        self._tell("Northborough's CRM will answer the next request with 503.")
        played.busy = self._send(bodies.busy(self._today))
        self._wait([played.busy], until=lambda sent: any(d["attempts"] for d in sent.deliveries))
        waiting = next((d["waiting"]["text"] for d in played.busy.deliveries if d["waiting"]), "it is tried again")
        self._tell(f"  {played.busy.reference}: {waiting}")

    def _send_the_rest(self, played: Played) -> None:
        waste = self._stage.simulators["northborough/waste"].running
        waste.options(unknown_uprns=[bodies.UNKNOWN_UPRN])
        self._tell(
            "Five front ends publish to four councils: the standard submissions, and three formats of their own."
        )
        played.ordinary = [self._send(letter) for letter in bodies.ordinary(self._today)]
        played.split = self._send(bodies.split(self._today))
        played.refused = self._send(bodies.refused(self._today))
        played.unmapped = self._send(bodies.unmapped(self._today))
        self._wait(played.all(), until=_settled)
        played.states_before_mending = played.unmapped.states

    def _mend_and_replay(self, played: Played) -> None:
        unmapped = played.unmapped
        assert unmapped is not None
        self._tell(f"{unmapped.reference} is a dead letter: the council's table has no row for garden waste.")
        self._stage.mend_the_mapping()
        self._tell(f"  Mended: {MEND}. Then `hub reload`, and the delivery is replayed.")
        reloaded = self._stage.command("reload")
        if reloaded.returncode:
            raise DemoFailed(f"`hub reload` refused the mended files: {reloaded.stderr.strip()}")
        for delivery in unmapped.deliveries:
            verb = f"{self._stage.hub}/v1/deliveries/{delivery['id']}/replay"
            http.post(verb, {"reason": "The table has a row for garden waste now."}, key=self._stage.user_token)
        self._wait([unmapped], until=_settled)

    def _read_ledgers(self, played: Played) -> None:
        for destination, simulator in self._stage.simulators.items():
            played.ledgers[destination] = simulator.running.ledger()

    def _send(self, letter: Letter) -> Sent:
        key = self._stage.keys[letter.front_end]
        if letter.raw is not None:
            return self._send_as_it_is(letter, key)
        answer = http.post(f"{self._stage.hub}/v1/submissions", letter.body, key=key)
        return Sent(letter=letter, id=answer["id"], reference=answer["reference"])

    def _send_as_it_is(self, letter: Letter, key: str) -> Sent:
        """In its front end's own format; whatever shape the answer has, the reference stands in it."""
        bearer = "" if key in letter.content.decode() else key
        said = http.send(self._stage.hub + letter.path, letter.content, media_type=letter.media_type, key=bearer)
        found = _REFERENCE.search(said.decode())
        if found is None:
            raise DemoFailed(f"{letter.path} gave no reference.")
        return Sent(letter=letter, id=found[0], reference=found[0])

    def _wait(self, sent: Iterable[Sent], *, until: Callable[[Sent], bool]) -> None:
        """Ask again and again, as a front end would; gives up quietly at the deadline."""
        left = list(sent)
        while left:
            for one in left:
                key = self._stage.keys[one.letter.front_end]
                one.now = http.get(f"{self._stage.hub}/v1/submissions/{one.id}", key=key)
            left = [one for one in left if not until(one)]
            if not left or time.monotonic() > self._deadline:
                return
            time.sleep(_LOOK_EVERY.total_seconds())


MEND = "`garden: 86` in northborough/council.yaml"


def _settled(sent: Sent) -> bool:
    """Nothing will happen to it without a person."""
    return bool(sent.states) and all(state in ("delivered", "dead", "discarded", "unclear") for state in sent.states)

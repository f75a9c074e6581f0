"""Did everything arrive as expected? Each expectation is a sentence, held against the ledgers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hub.demo.story import Played, Sent

AT_LEAST = 24


def failures(played: Played) -> list[str]:
    """The expectations that did not hold, each with what was found instead; none when all is well."""
    return [f"{sentence}; found {found}" for sentence, held, found in _expectations(played) if not held]


def _expectations(played: Played) -> Iterator[tuple[str, bool, str]]:
    arrived = [sent for sent in played.all() if sent.now.get("status") == "delivered"]
    yield f"at least {AT_LEAST} submissions arrive", len(arrived) >= AT_LEAST, str(len(arrived))
    for what, wanted, found in _widths(arrived):
        yield what, len(found) == wanted, ", ".join(sorted(found)) or "none"
    for sent in played.ordinary:
        yield f"{sent.reference} ({sent.letter.shows}) arrives", sent in arrived, _said(sent)
    yield from _ledgers(played)
    yield from _parts(played, arrived)


def _widths(arrived: list[Sent]) -> Iterator[tuple[str, int, set[str]]]:
    deliveries = [delivery for sent in arrived for delivery in sent.deliveries]
    yield "submissions of six services arrive", 6, {sent.letter.body["service"] for sent in arrived}
    yield "systems of eight kinds take them", 8, {delivery["connector"] for delivery in deliveries}
    yield "they are of four councils", 4, {sent.letter.body["council"] for sent in arrived}
    yield "five front ends published them", 5, {sent.letter.front_end for sent in arrived}


def _ledgers(played: Played) -> Iterator[tuple[str, bool, str]]:
    """What the hub calls delivered is what the back offices hold: no more, no less, nothing twice."""
    for destination, ledger in played.ledgers.items():
        held = Counter((row["reference"], row["our_reference"]) for row in ledger)
        told = Counter(
            (delivery["reference"], delivery["our_reference"])
            for sent in played.all()
            for delivery in sent.deliveries
            if delivery["destination"] == destination and delivery["state"] == "delivered"
        )
        odd = ", ".join(f"{theirs} for {ours}" for theirs, ours in ((held - told) + (told - held)))
        yield f"the ledger of {destination} holds exactly what was delivered", held == told, f"a difference at {odd}"


def _parts(played: Played, arrived: list[Sent]) -> Iterator[tuple[str, bool, str]]:
    split, refused, busy, unmapped = played.split, played.refused, played.busy, played.unmapped
    if not (split and refused and busy and unmapped):
        yield "every act is played", False, "an act that is missing"
        return
    worksheets = [row for row in played.ledgers["northborough/waste"] if _of(split, row)]
    kinds = {_service_id(row["record"]) for row in worksheets}
    yield "refuse and food become two worksheets", len(worksheets) == 2 and split in arrived, str(len(worksheets))
    yield "they are of two kinds", len(kinds) == 2, ", ".join(map(str, kinds)) or "none"
    yield "the one for an unknown home is a dead letter", refused.states == ["dead"], _said(refused)
    yield "it needs a person", refused.now.get("status") == "needs_attention", _said(refused)
    tries = max((delivery["attempts"] for delivery in busy.deliveries), default=0)
    yield "the one that met a 503 arrives at a later try", busy in arrived and tries >= 2, _said(busy)
    before = ", ".join(played.states_before_mending) or "nothing"
    yield "the unmapped one is a dead letter at first", before == "dead", before
    yield "replayed with the mended table it arrives", unmapped in arrived, _said(unmapped)


def _of(sent: Sent, row: dict[str, Any]) -> bool:
    return str(row["our_reference"]).startswith(sent.reference)


def _service_id(record: Any) -> Any:
    """The worksheet's kind, wherever in the envelope it stands."""
    if isinstance(record, dict):
        if "ServiceId" in record:
            return record["ServiceId"]
        return next((found for value in record.values() if (found := _service_id(value)) is not None), None)
    return None


def _said(sent: Sent) -> str:
    told = ", ".join(f"{delivery['state']} after {delivery['attempts']}" for delivery in sent.deliveries)
    return f"{sent.now.get('status')} ({told or 'no deliveries'})"

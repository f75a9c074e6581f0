"""What the conformance kit asks about repeats and looks: whether the declared replay safety is true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from hub.connector.door import Connector, StatusChange
from hub.connector.testing.expectations import delivered, expect, is_named, must
from hub.connector.testing.trial import Died, Outcome, Trial
from hub.errors import Misconfigured, Unavailable, Unclear
from hub.model import Receipt, ReplaySafety

Found = TypeVar("Found")

_LONGEST = timedelta(seconds=30)  #: the kit waits no longer for a case to turn up, whatever is declared
_GRACE = timedelta(seconds=2)  #: and so much longer than declared, to tell late from never
_BETWEEN = timedelta(milliseconds=50)
#: Ways in which a back office cannot be asked.
DUMB = ("timeout", "fault", "html_error", "unavailable", "commit_then_drop")


async def replay_safety(trial: Trial) -> None:
    """what a repeat does is what it declares"""
    await trial.behave("ok")
    proof = _PROOFS.get(trial.declared.replay_safety)
    if proof is not None:
        await proof(trial)


async def _repeats(trial: Trial) -> None:
    """A repeat is the case that is there: after an answer, and after none."""
    ours = trial.new_reference()
    async with trial.connector() as connector:
        first = delivered(await trial.create(connector, our_reference=ours))
        again = _one_case(trial, await trial.create(connector, our_reference=ours, keep_rows=True))
        same = (again.reference or again.token) == (first.reference or first.token)
        must(same, f"declared {_declared(trial)}, but a repeat returned {again} and not {first}")
    ours = await _made_in_doubt(trial)
    async with trial.connector() as connector:
        _one_case(trial, await trial.create(connector, our_reference=ours, keep_rows=True))


def _one_case(trial: Trial, again: Outcome) -> Receipt:
    count = len(again.rows)
    must(count == 1, f"declared {_declared(trial)}, but a repeat made case number {count}")
    must(again.receipt, f"declared {_declared(trial)}, but a repeat is {again}; return the case that is there")
    receipt = delivered(again)
    is_named(receipt, again.rows[0]["reference"])
    must(again.delivery.taken, "delivery.took(…) was not called for a case that was there")
    return receipt


async def _looked_up(trial: Trial) -> None:
    """`find` gives exactly ours, once it has settled; it says "not there" only of what is not there."""
    ours = trial.new_reference()
    parts = [f"{ours}-1", f"{ours}-12"]  # a search that takes the beginning of a reference would confuse these
    async with trial.connector() as connector:
        made = [await _create_and_find(trial, connector, one) for one in parts]
        stranger = await trial.ask(partial(_find, connector, ours))
        must(stranger is None, "find() finds a case that was never made under exactly that reference")
        made.append(await _create_and_find(trial, connector, ours))
        for one in made:
            _is_of(await trial.ask(partial(_find, connector, one.delivery.our_reference)), one)
        stranger = await trial.ask(partial(_find, connector, trial.new_reference()))
        must(stranger is None, "find() finds a case that was never made")
    ours = await _made_in_doubt(trial)
    (row,) = await trial.rows()
    async with trial.connector() as connector:
        is_named(await _turns_up(trial, partial(_find, connector, ours)), row["reference"])
    await _never_guesses(trial, "find", lambda made: _find(made, ours))


async def _create_and_find(trial: Trial, connector: Connector, ours: str) -> Outcome:
    made = await trial.create(connector, our_reference=ours, keep_rows=True)
    must(made.receipt is not None, f"expected a receipt, got {made}")
    _is_of(await _turns_up(trial, partial(_find, connector, ours)), made)
    return made


def _is_of(found: Receipt | None, made: Outcome) -> None:
    """What was found is the case that was made, by its number or by its token."""
    ours = made.delivery.our_reference
    filed = next((row["reference"] for row in made.rows if row["our_reference"] == ours), None)
    numbered = found is not None and found.reference is not None
    same = found and (found.reference == filed if numbered else found.token == made.delivery.taken)
    must(same, f"find() gives {found} for the case {filed}: that is somebody else's")


async def _listed(trial: Trial) -> None:
    """`changes` lists each of ours with our reference, once it has settled, however many there are."""
    async with trial.connector() as connector:
        made = [await trial.create(connector, keep_rows=bool(n)) for n in range(3)]
        since = made[0].delivery.received_at
        for one in made:
            must(one.receipt is not None, f"expected a receipt, got {one}")
            seen = await _turns_up(trial, partial(_seen, connector, since, one.delivery.our_reference))
            if one.receipt is not None:
                is_named(one.receipt, seen.reference)
            must(seen.at.tzinfo is not None, "changes() gives an instant without a zone")
    ours = await _made_in_doubt(trial)
    (row,) = await trial.rows()
    async with trial.connector() as connector:
        seen = await _turns_up(trial, partial(_seen, connector, since, ours))
        is_named(Receipt(reference=seen.reference), row["reference"])
    await _never_guesses(trial, "changes", lambda asked: _seen(asked, since, ours))


_PROOFS: Mapping[ReplaySafety, Callable[[Trial], Coroutine[Any, Any, None]]] = {
    ReplaySafety.IDEMPOTENT: _repeats,
    ReplaySafety.REJECTS_DUPLICATES: _repeats,
    ReplaySafety.LOOKUP: _looked_up,
    ReplaySafety.LISTING: _listed,
}


async def _made_in_doubt(trial: Trial) -> str:
    """A case that was made and never confirmed, alone in the ledger: what a repeat or a look is for."""
    ours = trial.new_reference()
    if not trial.shows("commit_then_timeout"):
        return await _made_and_died(trial, ours)
    await trial.behave("commit_then_timeout", times=1)
    async with trial.connector(deadline=trial.deadline) as connector:
        expect(await trial.create(connector, our_reference=ours), Unclear, rows=1)
    await trial.behave("ok")
    return ours


async def _made_and_died(trial: Trial, ours: str) -> str:
    """The same where nothing is ever confirmed: whoever made it ended at that moment."""
    async with trial.connector() as connector:
        outcome = await trial.create(connector, our_reference=ours, dies_when_taken=True)
    must(isinstance(outcome.raised, Died), f"delivery.took(…) raised, and create went on: {outcome}")
    must(len(outcome.rows) == 1, f"expected one row, got {outcome}")
    return ours


async def _turns_up(trial: Trial, look: Callable[[], Awaitable[Found | None]]) -> Found:
    """What a look finds, which must be before the declared settle time is over."""
    settle = trial.declared.settle or trial.deadline
    waiting, started = min(settle, _LONGEST) + _GRACE, time.monotonic()
    while True:
        asked = timedelta(seconds=time.monotonic() - started)
        found = await trial.ask(look)
        if found is not None:
            must(asked <= settle, _too_short(trial, asked))
            return found
        text = f"no look finds the case just made, not even {asked.total_seconds():.0f} s later"
        must(asked < waiting, f"declared {_declared(trial)}, but {text}")
        await asyncio.sleep(_BETWEEN.total_seconds())


def _too_short(trial: Trial, asked: timedelta) -> str:
    settle = trial.declared.settle
    declared = f"settle is {settle.total_seconds():g} s" if settle is not None else "no settle is declared"
    late = f"a case turned up only {asked.total_seconds():.1f} s after it was made"
    return f"{late}, and {declared}: the hub would have sent it again; declare a longer settle"


async def _never_guesses(trial: Trial, verb: str, look: Callable[[Connector], Awaitable[object]]) -> None:
    """A look that could not be made raises, and is never Unclear: "not there" would send it again."""
    for at in ("login", "read"):
        for mode in filter(trial.shows, DUMB):
            await trial.behave(mode, at=at)
            async with trial.connector(deadline=trial.deadline) as connector:
                try:
                    found = await trial.ask(partial(look, connector))
                except (Unavailable, Misconfigured):
                    continue
                except Exception as error:
                    must(False, f"{verb}() raises {type(error).__name__} on {mode}; a read is Unavailable")
            must(found is not None, f'{verb}() says "not there" on {mode}, when it could not look: let it raise')


async def _find(connector: Connector, ours: str) -> Receipt | None:
    asked: Any = connector
    found: Receipt | None = await asked.find(ours)
    return found


async def _seen(connector: Connector, since: datetime, ours: str) -> StatusChange | None:
    """Ours among what changed; the listing is read to its end, as a hub that looks for several does."""
    asked: Any = connector
    seen = [one async for one in asked.changes(since) if one.our_reference == ours]
    return seen[0] if seen else None


def _declared(trial: Trial) -> str:
    return trial.declared.replay_safety.value

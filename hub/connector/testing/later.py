"""What the conformance kit asks about the steps behind a create: the number of a case, and its attachments."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.connector.door import Connector
from hub.connector.testing.expectations import delivered, must
from hub.connector.testing.proofs import DUMB
from hub.connector.testing.trial import PATIENCE, Outcome, Trial, has
from hub.errors import DeliveryFailure, Misconfigured, Refused, Unavailable, Unclear
from hub.model import Receipt

_BETWEEN = timedelta(milliseconds=50)
_LATER: Mapping[str, type[DeliveryFailure]] = {
    "refuse": Refused,
    "unavailable": Unavailable,
    "fault": Unclear,
    "html_error": Unclear,
    "timeout": Unclear,
    "commit_then_timeout": Unclear,
    "commit_then_drop": Unclear,
    "bad_auth": Misconfigured,
}


async def number(trial: Trial) -> None:
    """a case taken by a token gets its number, and asking for it makes nothing"""
    if not has(trial.connector_class, "number"):
        return
    async with trial.connector() as connector:
        made = await trial.create(connector)
        token = delivered(made).token
        must(token and token == made.delivery.taken, "with number(), call took(token) and return Receipt(token=token)")
        assert token is not None
        numbered = await _numbered(trial, connector, token)
    (row,) = made.rows
    must(numbered.reference == row["reference"], f"the ledger has {row['reference']}, number() gives {numbered}")
    must(len(await trial.rows()) == 1, "asking for the number made another case")
    for mode in filter(trial.shows, DUMB):
        await trial.behave(mode, at="read")
        async with trial.connector(deadline=trial.deadline) as connector:
            numbered_or = await trial.number(connector, token)
        kept = isinstance(numbered_or, Unavailable) or (
            isinstance(numbered_or, Receipt) and numbered_or.reference == row["reference"]
        )
        must(kept, f"number() on {mode} is {numbered_or!r}; what cannot be read is Unavailable")


async def _numbered(trial: Trial, connector: Connector, token: str) -> Receipt:
    """The number; a product may take its time over it."""
    until = time.monotonic() + PATIENCE.total_seconds()
    while True:
        said = await trial.number(connector, token)
        if isinstance(said, Receipt) and said.reference is not None:
            return said
        late = time.monotonic() > until
        must(isinstance(said, Unavailable) and not late, f"number(token) is {said!r}; until there is one: Unavailable")
        await asyncio.sleep(_BETWEEN.total_seconds())


async def attach(trial: Trial) -> None:
    """a file goes to its case, and one that fails makes no second case"""
    if not has(trial.connector_class, "attach"):
        return
    async with trial.connector() as connector:
        made = await trial.create(connector)
        delivered(made)
        case = made.rows[0]["reference"]
        sent = await trial.attach(connector, case, our_reference=made.delivery.our_reference)
    must(sent.raised is None, f"an attachment to a case that is there: {sent}")
    must(sent.rows_when_sending is not None, "nothing was marked: send the file with a `write`")
    must(len(sent.rows) > 1, "the back office has nothing more than before")
    _same_case(sent, case)
    for mode, kind in ((mode, kind) for mode, kind in _LATER.items() if trial.shows(mode)):
        await trial.behave(mode)
        async with trial.connector(deadline=trial.deadline) as connector:
            sent = await trial.attach(connector, case, our_reference=made.delivery.our_reference)
        must(isinstance(sent.raised, kind), f"an attachment on {mode} is {sent}; expected {kind.__name__}")
        _same_case(sent, case)


async def update(trial: Trial) -> None:
    """an update goes to its case, and one that fails makes no second case"""
    await _follows_up(trial, "update")


async def cancel(trial: Trial) -> None:
    """a cancellation goes to its case, and one that fails makes no second case"""
    await _follows_up(trial, "cancel")


async def _follows_up(trial: Trial, verb: str) -> None:
    """What can be said of every connector whose operation has the verb's own name."""
    if not has(trial.connector_class, verb) or verb not in trial.connector_class.operations:
        return
    async with trial.connector() as connector:
        made = await trial.create(connector)
        delivered(made)
        case, ours = made.rows[0]["reference"], made.delivery.our_reference
        sent = await trial.follow_up(connector, verb, case, our_reference=ours)
    must(sent.raised is None, f"{verb} of a case that is there: {sent}")
    must(sent.rows_when_sending is not None, f"nothing was marked: {verb} with http.write or soap.write")
    must(len(sent.rows) > 1, "the back office has nothing more than before")
    _same_case(sent, case)
    for mode, kind in ((mode, kind) for mode, kind in _LATER.items() if trial.shows(mode)):
        await trial.behave(mode)
        async with trial.connector(deadline=trial.deadline) as connector:
            sent = await trial.follow_up(connector, verb, case, our_reference=ours)
        must(isinstance(sent.raised, kind), f"{verb} on {mode} is {sent}; expected {kind.__name__}")
        _same_case(sent, case)


def _same_case(sent: Outcome, case: Any) -> None:
    """Whatever became of the file, there is the one case."""
    cases = {row["reference"] for row in sent.rows}
    must(cases == {case}, f"what was for {case} left rows of {', '.join(sorted(map(str, cases)))}")

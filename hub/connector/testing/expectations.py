"""What a check of the conformance kit expects, and what it says when that is not what came."""

from __future__ import annotations

from datetime import timedelta

from hub.connector.testing.trial import PATIENCE, Outcome, Trial
from hub.errors import DeliveryFailure
from hub.model import Receipt


class Failed(Exception):
    """The connector did not do what it must; the text says what it did."""


def must(kept: object, what: str) -> None:
    if not kept:
        raise Failed(what)


def expect(outcome: Outcome, kind: type[DeliveryFailure], *, rows: int) -> None:
    must(isinstance(outcome.raised, kind), f"expected {kind.__name__}, got {outcome}")
    must(len(outcome.rows) == rows, f"expected {rows} rows in the ledger, got {outcome}")


def delivered(outcome: Outcome) -> Receipt:
    """The receipt of a create that left one row."""
    must(outcome.receipt is not None, f"expected a receipt, got {outcome}")
    must(len(outcome.rows) == 1, f"expected one row, got {outcome}")
    assert outcome.receipt is not None
    return outcome.receipt


def is_named(receipt: Receipt, reference: str) -> None:
    """A receipt with a number must have this one."""
    if receipt.reference is not None:
        must(receipt.reference == reference, f"the ledger has {reference}, the receipt {receipt}")


async def create_under(
    trial: Trial,
    mode: str,
    kind: type[DeliveryFailure],
    *,
    rows: int,
    seconds: float | None = None,
    hasty: timedelta = PATIENCE,
) -> Outcome:
    """One create on a back office that behaves like this; it must raise that and leave so many rows."""
    await trial.behave(mode, seconds=seconds)
    async with trial.connector(deadline=hasty) as connector:
        outcome = await trial.create(connector)
    expect(outcome, kind, rows=rows)
    return outcome

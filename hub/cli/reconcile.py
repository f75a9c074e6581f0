"""`hub reconcile`: accepted, delivered, and what the councils' systems have of it, per council, service and day."""

from __future__ import annotations

import asyncio
import csv
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import say
from hub.cli.instants import instant, midnight
from hub.cli.options import Council, Json
from hub.cli.store import opened
from hub.core.dates import LONDON
from hub.core.reconciling import Finding, Line, Standing
from hub.errors import SettingsError

if TYPE_CHECKING:
    from hub.assembly import Core
    from hub.dispatch.reconcile import Account
    from hub.store.reconcile import Scope

_DAYS = timedelta(days=6)  #: before today, unless --since says otherwise
_SPARE = timedelta(minutes=5)  #: other clocks may be ahead of ours
_COLUMNS = {
    "council": "council",
    "service": "service",
    "day": "day",
    "submissions": "submissions",
    "accepted": "accepted",
    "delivered": "delivered",
    "waiting": "waiting",
    "needs a person": "needs_person",
    "discarded": "discarded",
    "confirmed": "confirmed",
    "missing": "missing",
    "extra": "extra",
    "unknown": "unknown",
    "unexplained": "unexplained",
}
_DETAILS = {
    "what": "what",
    "destination": "destination",
    "day": "day",
    "service": "service",
    "our reference": "our_reference",
    "the hub was told": "reference",
    "there it is": "there",
}


def reconcile(
    council: Council = None,
    service: Annotated[str | None, typer.Option(help="only this service")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="accepted at this time or later (ISO 8601; without a zone, London's); else the last seven days",
            callback=lambda value: value and instant(value),
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="accepted before this time", callback=lambda value: value and instant(value))
    ] = None,
    csv_file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="write the table as CSV; - is standard output")
    ] = None,
    lookup: Annotated[
        bool, typer.Option("--lookup/--no-lookup", help="ask the councils' systems what they have")
    ] = True,
    details: Annotated[bool, typer.Option("--details", help="name what is missing, extra or unexplained")] = False,
    json_out: Json = False,
) -> int:
    """Hold what was accepted against what was delivered, and against what the councils' systems say they have.

    Counted are pieces of work: a submission that was split is several. Only
    reads; at most four calls at once to a system, at its own rate. Exit status
    1 when anything is missing, extra or unexplained.
    """
    from hub.store.reconcile import Scope

    today = datetime.now(LONDON).date()
    scope = Scope(
        since=datetime.fromisoformat(since) if since else midnight(today - _DAYS),
        until=datetime.fromisoformat(until) if until else datetime.now(UTC) + _SPARE,
        council=council,
        service=service,
    )
    if scope.since >= scope.until:
        raise typer.BadParameter("--until must be later than --since")
    if json_out and csv_file == "-":
        raise typer.BadParameter("standard output takes --json or --csv -, not both")
    with opened() as core:
        account = asyncio.run(_reconcile(core, scope, lookup=lookup))
    if csv_file is not None:
        _write_csv(account, csv_file)
    _tell(account, scope, details=details, json_out=json_out, table=csv_file != "-")
    return 1 if _is_wrong(account.total()) else 0


async def _reconcile(core: Core, scope: Scope, *, lookup: bool) -> Account:
    from hub.councils import Councils
    from hub.dispatch.pace import Pacer
    from hub.dispatch.pool import ConnectorPool
    from hub.dispatch.reconcile import Reconciler
    from hub.settings import secret

    councils = core.councils() if core.councils.load_newest() else Councils({}, generation=0)
    pool = ConnectorPool(secrets=secret, pace=Pacer(store=core.store).of)
    with say.progress() as bar:
        task = bar.add_task("looking", total=None)
        reconciler = Reconciler(
            store=core.store, councils=councils, pool=pool, clock=lambda: datetime.now(UTC), lookup=lookup,
            progress=lambda submissions: bar.advance(task, submissions),
        )  # fmt: skip
        try:
            return await reconciler.run(scope)
        finally:
            await pool.close()


def _is_wrong(total: Line) -> bool:
    wrong = total.findings[Finding.MISSING] + total.findings[Finding.EXTRA] + total.standings[Standing.UNEXPLAINED]
    return bool(wrong) or not total.adds_up


def _rows(account: Account) -> list[dict[str, Any]]:
    return [
        {"council": council, "service": service or None, "day": day.isoformat(), **line.as_dict()}
        for (council, service, day), line in sorted(account.lines.items())
    ]


def _details(account: Account) -> list[dict[str, Any]]:
    return [
        {
            "what": said.finding.value, "council": said.council, "service": said.service, "day": said.day.isoformat(),
            "destination": said.destination, "our_reference": said.reference, "reference": said.theirs,
            "there": said.there,
        }
        for said in account.said
    ]  # fmt: skip


def _write_csv(account: Account, name: str) -> None:
    try:
        with nullcontext(sys.stdout) if name == "-" else Path(name).open("w", encoding="utf-8", newline="") as file:
            _as_csv(account, file)
    except OSError as failure:
        raise SettingsError(f"{name} cannot be written ({failure.strerror}); name another file.") from None


def _as_csv(account: Account, file: IO[str]) -> None:
    writer = csv.DictWriter(file, fieldnames=list(_COLUMNS.values()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows(account))


def _tell(account: Account, scope: Scope, *, details: bool, json_out: bool, table: bool) -> None:
    total = account.total()
    if json_out:
        say.as_json(_as_json(account, scope, details=details))
        return
    if table:
        say.table(_rows(account), _COLUMNS, empty="Nothing was accepted in that time.")
        if details:
            say.table(_details(account), _DETAILS, empty="Nothing is missing, extra or unexplained.")
    for asked in account.asked.values():
        if asked.code is not None:
            say.note(f"{asked.destination} could not be asked: {asked.code}.")
    counts = total.as_dict()
    parts = " + ".join(f"{heading} {counts[_COLUMNS[heading]]}" for heading in _PARTS)
    say.note(f"accepted {counts['accepted']} {'=' if total.adds_up else '≠'} {parts}")
    if _is_wrong(total) and not details:
        say.note("Something is missing, extra or unexplained; --details names it.")


_PARTS = ("delivered", "waiting", "needs a person", "discarded")


def _as_json(account: Account, scope: Scope, *, details: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "since": scope.since.isoformat(), "until": scope.until.isoformat(), "items": _rows(account), "next": None,
        "total": account.total().as_dict(), "adds_up": account.total().adds_up,
        "destinations": [asked.as_dict() for asked in account.asked.values()],
    }  # fmt: skip
    return found | ({"details": _details(account)} if details else {})

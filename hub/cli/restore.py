"""`hub restore`: after a backup of the database was put back, and before the hub is started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import say
from hub.cli.desk import local_user
from hub.cli.instants import instant
from hub.cli.options import Json
from hub.core.restoring import Fate
from hub.errors import HubError, SettingsError
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.assembly import Core
    from hub.store.restore import Account, Terms

Since = Annotated[
    str,
    typer.Option(
        help="when the backup was made (ISO 8601; without a zone, London's)",
        callback=lambda value: instant(value),
    ),
]
_SETTLE = timedelta(minutes=1)  #: for a destination that the council files have no more
_COLUMNS = {
    "council": "council",
    "destination": "destination",
    "a repeat is": "safety",
    "stays queued": "stays",
    "is looked up": "looked_up",
    "needs a person": "person",
}


def restore(
    since: Since,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would become unclear, and do nothing")] = False,
    reason: Annotated[str | None, typer.Option(help="why, for the audit; name no resident")] = None,
    json_out: Json = False,
) -> None:
    """Make unclear what may have been sent since the backup, so that starting the hub sends nothing twice.

    Stop the hub, put the backup back, say this, and start the hub. What a
    repeat does not harm stays queued; what can be looked up is looked for
    first; the rest waits for a person. Safe to run again.
    """
    at = datetime.fromisoformat(since)
    if at > datetime.now(UTC):
        raise typer.BadParameter(f"{since} is yet to come; give the time when the backup was made")
    settings = Settings.read()
    with _opened_alone(settings) as core:
        terms = terms_of(core, since=at, reason=reason)
        _warn(core, at)
        account = _survey(core, terms) if dry_run else carry_out(core, terms)
    _tell(account, dry_run=dry_run, json_out=json_out)


def refuse_half_restored(core: Core) -> None:
    """Nothing may be sent from a store where nobody has said yet what may have been sent already."""
    from hub.store import restore

    since = core.store.read_now(restore.unfinished)
    if since is not None:
        raise SettingsError(f"A restore was begun and not finished; run `hub restore --since {since.isoformat()}`.")


@contextmanager
def _opened_alone(settings: Settings) -> Iterator[Core]:
    """The store, with no other process on an SQLite file. Raises SettingsError where a hub runs on it."""
    # It brings the whole machine with it, which `hub --help` should not wait for.
    from hub.assembly import open_core, sole_owner

    with sole_owner(settings), open_core(settings) as core:
        # Without council files nobody knows what a repeat does: everything becomes a person's.
        with suppress(HubError):
            core.councils.load_newest()
        yield core


def terms_of(core: Core, *, since: datetime, reason: str | None) -> Terms:
    """What this hub knows of its destinations, for a restore."""
    from hub.assembly import safety_of
    from hub.store.restore import Terms

    generation = 0
    with suppress(HubError):
        generation = core.councils().generation
    return Terms(
        since=since, actor=local_user().name, reason=reason, generation=generation,
        safety_of=safety_of(core.councils), settle_of=lambda destination: _settle(core, destination),
        silence=core.settings.lease_margin, sole=core.settings.sqlite,
    )  # fmt: skip


def _settle(core: Core, destination: str) -> timedelta:
    """How long a call that was under way when the hub ended may still make a case."""
    try:
        known = core.councils().destination(destination)
    except HubError:
        return _SETTLE
    return max((known.settles_in(name) for name in known.connector_class.operations), default=_SETTLE)


def _warn(core: Core, since: datetime) -> None:
    from hub.store import restore

    newest = core.store.read_now(restore.newest)
    if newest is not None and newest > since + timedelta(minutes=1):
        say.note(
            f"The newest submission here was accepted at {newest.isoformat()}, after --since: either the backup is "
            "younger than that, or a hub has run on it already. What it sent is made unclear as well."
        )


def _survey(core: Core, terms: Terms) -> Account:
    from hub.store import restore

    return core.store.read_now(lambda connection: restore.survey(connection, terms))


def carry_out(core: Core, terms: Terms) -> Account:
    """Sort everything out, a batch at a time. Blocks. Raises WrongState while a hub runs."""
    from hub.store import restore

    def next_batch() -> Account:
        return core.store.transact_now(lambda connection: restore.batch(connection, terms))

    account = core.store.transact_now(lambda connection: restore.begin(connection, terms))
    if account.done:
        say.note("This restore is done already; nothing was changed.")
    return _until_done(account, next_batch)


def _until_done(account: Account, next_batch: Callable[[], Account]) -> Account:
    with say.progress() as bar:
        task = bar.add_task("sorting out", total=None)
        while not account.done:
            account = next_batch()
            bar.advance(task)
    return account


def _rows(account: Account) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], Counter[Fate]] = {}
    for (destination, safety, fate), number in account.fates.items():
        found.setdefault((destination, safety.value), Counter())[fate] += number
    return [
        {"council": destination.split("/")[0], "destination": destination, "safety": safety}
        | {fate.value: numbers[fate] for fate in Fate}
        for (destination, safety), numbers in sorted(found.items())
    ]


def _tell(account: Account, *, dry_run: bool, json_out: bool) -> None:
    rows = _rows(account)
    if json_out:
        say.as_json(
            {"since": account.since.isoformat(), "dry_run": dry_run, "items": rows, "next": None,
             "dead_letters": account.dead, "operations_paused": account.operations}
        )  # fmt: skip
        return
    say.table(rows, _COLUMNS, empty="Nothing waited or was on its way when the backup was made.")
    if account.dead:
        say.note(f"{account.dead} dead letters may have been replayed since; each says so. Look before you replay.")
    if account.operations:
        say.note(f"{account.operations} bulk operations are paused; resume them once what is unclear is settled.")
    if dry_run:
        say.note("Nothing was changed; without --dry-run it is.")
        return
    say.note(
        "Now start the hub. What is looked up settles by itself; `hub deliveries list --state unclear` shows the rest. "
        f"What was accepted since then is not here: `hub reconcile --since {account.since.date()}` finds what the "
        "councils' systems have of it."
    )

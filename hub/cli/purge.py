"""`hub purge`: forget now what is due to be forgotten, without waiting for the hourly job."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import say
from hub.cli.desk import local_user
from hub.cli.options import Json
from hub.cli.store import opened

if TYPE_CHECKING:
    from hub.assembly import Core
    from hub.store.retention import Forgotten


def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say how much, and do nothing")] = False,
    json_out: Json = False,
) -> None:
    """Forget contents, evidence and idempotency keys that are older than HUB_RETENTION_CONTENT and _EVIDENCE say.

    What waits, is on its way or is a person's is never touched. The hub does the same by itself once an hour.
    """
    with opened() as core:
        forgotten = asyncio.run(_purge(core, dry=dry_run))
    if json_out:
        say.as_json({"dry_run": dry_run, **asdict(forgotten)})
        return
    did = "would be forgotten" if dry_run else "forgotten"
    say.line(
        f"Contents of {forgotten.contents} submissions, evidence of {forgotten.evidence} attempts, "
        f"{forgotten.received} bodies of forms, {forgotten.files} files and {forgotten.keys} idempotency keys {did}."
    )


async def _purge(core: Core, *, dry: bool) -> Forgotten:
    from hub.assembly import retention_for
    from hub.store import audit, jobs, retention

    if not dry:
        await core.store.transact(lambda connection: jobs.ensure(connection, {retention.NAME: timedelta(hours=1)}))
    forgotten = await retention_for(core).run(dry=dry)
    if not dry:
        detail = asdict(forgotten)
        await core.store.transact(
            lambda connection: audit.record(
                connection, actor=local_user().name, verb="purge", subject="retention", detail=detail
            )
        )
    return forgotten

"""`hub check` and `hub reload`: are the settings and council files right, and put them in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.desk import local_user
from hub.cli.options import Json
from hub.cli.store import opened
from hub.core.findings import Finding, Severity
from hub.councils import Councils, Loaded, load, read_tree
from hub.errors import HubError
from hub.registry import Registry
from hub.settings import Settings, secret


def check(
    live: Annotated[bool, typer.Option("--live", help="also ask every destination whether it knows us")] = False,
    json_out: Json = False,
) -> int:
    """Check settings, mappings, tables, routes and connectors. Nothing is sent, unless --live asks for it."""
    settings = Settings.read()
    loaded = load(read_tree(settings.mappings), registry=Registry.discover(), secrets=secret)
    findings = list(loaded.findings)
    if not settings.mappings.is_dir():
        findings.append(_no_folder(settings))
    if live and loaded.councils is not None:
        findings += asyncio.run(_ask_all(loaded.councils))
    errors = sum(one.severity is Severity.ERROR for one in findings)
    if json_out:
        say.items([one.as_dict() for one in findings])
    else:
        tell(findings)
    say.note(_summary(loaded, errors=errors, warnings=len(findings) - errors))
    return 1 if errors else 0


def reload() -> None:
    """Make the council files the next generation, for every process on every host, or refuse them whole.

    When it returns, every hub on this store runs them.
    """
    # Brings the store with it, which a check can do without.
    from hub.generation import LOOK_EVERY, CouncilFilesRefused

    with opened() as core:
        before = core.store.read_now(_newest)
        try:
            now = core.councils.adopt(core.settings.mappings, by=local_user().name).generation
        except CouncilFilesRefused as refused:
            tell(refused.findings)
            raise
    if now == before:
        say.note(f"Nothing has changed: generation {now} is in force.")
        return
    # Every process looks for a new generation on its own clock; whoever replays next must meet it.
    asyncio.run(asyncio.sleep(LOOK_EVERY.total_seconds() + 0.5))
    say.note(f"Generation {now} is in force.")


def tell(findings: Sequence[Finding], *, through: Callable[[str], None] = say.line) -> None:
    """Findings for people, each as `file:line:column`, which terminals and editors can open."""
    for one in findings:
        through(f"{one.file}:{one.line}:{one.column}: {one.severity.value} {one.code}: {one.message}; {one.remedy}")


def _newest(connection: Any) -> int:
    from hub.store.generations import newest_number

    return newest_number(connection)


def _no_folder(settings: Settings) -> Finding:
    return Finding(
        file=str(settings.mappings),
        line=1,
        column=1,
        code="no_folder",
        message="there is no such folder of council files",
        remedy="set HUB_MAPPINGS, or make one with `hub councils new`",
    )


def _summary(loaded: Loaded, *, errors: int, warnings: int) -> str:
    councils = len(loaded.draft.slugs)
    return f"{_count(councils, 'council')}, {_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


async def _ask_all(councils: Councils) -> list[Finding]:
    from hub.dispatch.pool import ConnectorPool

    pool = ConnectorPool(secrets=secret)
    every = [each for slug in councils.slugs for each in councils.find(slug).destinations.values()]
    try:
        answers = await asyncio.gather(*(_ask(pool, destination) for destination in every))
    finally:
        await pool.close()
    return [finding for finding in answers if finding is not None]


async def _ask(pool: Any, destination: Any) -> Finding | None:
    """What is wrong between us and one destination; None when it knows us, or cannot be asked."""
    timeout = destination.limits.timeout.total_seconds()
    try:
        connector = pool.get(destination)
        ask = getattr(connector, "check", None)
        if ask is None:
            say.note(f"{destination.id}: {destination.connector} has no check")
            return None
        async with asyncio.timeout(timeout):
            health = await ask()
        if health.ok:
            say.note(f"{destination.id}: it knows us")
            return None
        told = health.detail or "it does not accept our settings"
    except TimeoutError:
        told = f"no answer within {timeout:.0f} s"
    except HubError as failure:
        told = str(failure)
    return Finding(
        file=f"{destination.council}/council.yaml",
        line=1,
        column=1,
        code="live",
        message=f"{destination.id}: {told.rstrip('.')}",
        remedy="mend its settings, or ask the council whether it is up",
    )

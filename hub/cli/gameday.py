"""`hub gameday`: faults rehearsed, and what was lost, made twice, or left without a word."""

from __future__ import annotations

import signal
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import say
from hub.cli.options import Json
from hub.errors import SettingsError

if TYPE_CHECKING:
    from hub.gameday.rehearsal import Result

_LISTED = {"scenario": "name", "what happens": "what", "on SQLite": "embedded", "in the short form": "short"}
_COLUMNS = {
    "scenario": "name",
    "class": "class",
    "accepted": "accepted",
    "in flight": "in_flight_at_fault",
    "unclear": "unclear_made",
    "resolved by": "resolved_by",
    "hub": "hub",
    "ledger": "ledger",
    "lost": "lost",
    "twice": "duplicates",
    "unexplained": "unexplained",
}


def gameday(
    names: Annotated[list[str] | None, typer.Argument(metavar="[SCENARIO]…", help="only these")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="say which scenarios there are")] = False,
    backoffice: Annotated[
        str | None, typer.Option(metavar="URL", help="a back office of your own that speaks as `scriptable` does")
    ] = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="one process on SQLite; what makes sense there")] = False,
    short: Annotated[bool, typer.Option("--short", help="fewer scenarios, and fewer submissions in each")] = False,
    json_out: Json = False,
) -> int:
    """Break things under load, in a hub of its own, and count what the back offices hold; exit status 1 if any failed.

    It needs PostgreSQL (HUB_GAMEDAY_DATABASE_URL, else HUB_DATABASE_URL) and RabbitMQ (HUB_GAMEDAY_BROKER_URL, else
    HUB_BROKER_URL). Its database is made for it and dropped at the end; your servers are never stopped.
    """
    # It brings the whole machine with it, which `hub --help` should not wait for.
    from hub.gameday.run import Wanted, rehearse

    wanted = Wanted(names=names or (), embedded=embedded, short=short, backoffice=backoffice)
    try:
        scenarios = wanted.scenarios()
    except SettingsError as fault:
        raise typer.BadParameter(str(fault)) from None
    if show_list:
        rows = [
            {"name": each.name, "what": each.what, "embedded": each.embedded, "short": each.brief} for each in scenarios
        ]
        say.page({"items": rows, "next": None}, _LISTED, json_out=json_out, empty="")
        return 0
    _end_in_order()
    results: list[Result] = []
    try:
        for result in rehearse(wanted, tell=say.note):
            results.append(result)
            say.note(f"  {_verdict(result)}")
    finally:
        # Also when somebody has seen enough.
        _tell(results, json_out=json_out)
    return 0 if all(result.ok for result in results) else 1


def _verdict(result: Result) -> str:
    took = f"{result.took.total_seconds():.0f} s"
    return f"held, {took}" if result.ok else f"FAILED, {took}: {'; '.join(result.why)}"


def _tell(results: list[Result], *, json_out: bool) -> None:
    if json_out:
        say.as_json({"scenarios": [result.as_dict() for result in results]})
        return
    rows = [_row(result, safety, tally) for result in results for safety, tally in result.classes.items()]
    say.table(rows, _COLUMNS, empty="Nothing was rehearsed.")
    for result in results:
        if result.told:
            say.line(f"{result.name}: {', '.join(f'{name} {value}' for name, value in result.told.items())}")
    failed = [result for result in results if not result.ok]
    for result in failed:
        say.failure(f"{result.name} failed: {'; '.join(result.why)}")
    say.note(f"{len(results) - len(failed)} of {len(results)} held.")


def _row(result: Result, safety: Any, tally: Any) -> dict[str, Any]:
    counted = tally.as_dict()
    settled = {how: many for how, many in counted["resolved_by"].items() if many}
    return {**counted, "name": result.name, "class": safety.value, "resolved_by": settled}


def _end_in_order() -> None:
    """Whoever ends us, the hub and its database go with us; a second signal must not break that off."""

    def heard(_: int, __: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)

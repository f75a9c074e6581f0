"""The demo told to a person: what was sent, what arrived, and where to go next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub.demo.bodies import curl_body
from hub.demo.stage import Stage
from hub.demo.story import Played

_COLOUR = {"delivered": "green", "dead": "red", "needs_attention": "red"}


class Telling:
    """Lines and tables on one stream."""

    def __init__(self, stream: TextIO) -> None:
        width = None if stream.isatty() else 140
        self._console = Console(file=stream, width=width, highlight=False)

    def begin(self, stage: Stage) -> None:
        self._console.print("\n[bold]Council Hub[/] carries what residents ask for to the systems that must act on it.")
        self._console.print(f"The hub is at {stage.hub}; behind it stand pretend back offices:")
        for simulator in stage.simulators.values():
            self._console.print(f"  {simulator.destination:20} {simulator.connector:14} {simulator.running.url}")
        self._console.print()

    def act(self, line: str) -> None:
        self._console.print(escape(line))

    def arrived(self, played: Played) -> None:
        """One line for each delivery: who sent what, where it went, and the number that the council gave it."""
        held = {
            (destination, row["our_reference"]): row["reference"]
            for destination, rows in played.ledgers.items()
            for row in rows
        }
        table = Table(box=None, header_style="bold", pad_edge=False)
        for heading in ("reference", "service", "what it shows", "went to", "state", "tries", "told", "in the ledger"):
            table.add_column(heading)
        for sent in played.all():
            for at, delivery in enumerate(sent.deliveries):
                first = (sent.reference, sent.letter.body["service"], sent.letter.shows) if at == 0 else ("", "", "")
                table.add_row(
                    *map(escape, first),
                    delivery["destination"],
                    _coloured(delivery["state"]),
                    str(delivery["attempts"]),
                    delivery["reference"] or "–",
                    held.get((delivery["destination"], delivery["our_reference"]), "–"),
                )
        self._console.print()
        self._console.print(table)

    def verdict(self, wrong: Sequence[str]) -> None:
        if not wrong:
            self._console.print("\n[green]Everything arrived as expected.[/] One needs a person, as it should.\n")
            return
        self._console.print(f"\n[red]{len(wrong)} expectations failed:[/]")
        for sentence in wrong:
            self._console.print(f"  {escape(sentence)}")

    def where_next(self, stage: Stage, *, today: date) -> None:
        """What a person may try now."""
        key = next(iter(stage.keys.values()))
        body = json.dumps(curl_body(today))
        waste = stage.simulators["northborough/waste"].running.control
        self._console.print("[bold]Try it[/] (Ctrl-C ends everything)\n")
        self._verbatim(
            f"  curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n"
            f"       -d '{body}' {stage.hub}/v1/submissions\n\n"
            f"  curl {waste}/_ledger                          # what the waste system committed\n"
            f"  export HUB_URL={stage.hub} HUB_KEY={stage.user_token}\n"
            "  hub deliveries list --state dead              # what needs a person\n"
            f"  {stage.council_file}\n"
            "                                                # the council's form; README.md says what to read next\n"
        )

    def _verbatim(self, text: str) -> None:
        """To be copied: nothing wrapped, nothing coloured."""
        self._console.print(text, markup=False, soft_wrap=True)


def _coloured(state: str) -> str:
    colour = _COLOUR.get(state)
    return f"[{colour}]{state}[/]" if colour else state

"""`hub councils`: a council's folder, begun from shared patterns."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from hub.cli import say
from hub.cli.new_council import council_file
from hub.councils import read_tree
from hub.errors import WrongState
from hub.registry import Registry
from hub.settings import Settings

app = typer.Typer(name="councils", no_args_is_help=True, help="A council's folder.")


@app.callback()
def councils() -> None:
    """A council's folder."""


@app.command()
def new(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="small letters, digits and hyphens: northborough")],
    product: Annotated[list[str], typer.Option(help="a product it has; may be given several times")],
    service: Annotated[list[str], typer.Option(help="a service it takes; may be given several times")],
    name: Annotated[str | None, typer.Option(help="the council's full name")] = None,
    gss: Annotated[str, typer.Option(help="its GSS code")] = "E07000000",
) -> None:
    """Begin a council's folder from shared patterns: a form to fill in."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise typer.BadParameter(f"{slug} is no slug; use small letters, digits and hyphens")
    folder = Settings.read().mappings
    path = folder / slug / "council.yaml"
    if path.exists():
        raise WrongState(f"{path} is there already; edit it, or choose another slug.")
    text = council_file(
        read_tree(folder),
        Registry.discover(),
        slug=slug,
        name=name or slug.replace("-", " ").title(),
        gss=gss,
        products=product,
        services=service,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    say.line(str(path))
    say.note("Fill in what is marked, set the variables that it names, and run `hub check`.")

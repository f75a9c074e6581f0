"""`hub councils`: a council's folder, begun from shared patterns."""

from __future__ import annotations
import typer
app = typer.Typer(name="councils", no_args_is_help=True, help="A council's folder.")

@app.command()
def new() -> None:
    """…"""
@app.command("list")
def list_() -> None:
    """…"""

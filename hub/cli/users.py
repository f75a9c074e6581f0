"""`hub users`: staff, their roles and tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from hub.cli import say
from hub.cli.desk import local_user
from hub.cli.options import Json, listed
from hub.cli.store import opened
from hub.model import Role
from hub.store import credentials, users

app = typer.Typer(name="users", no_args_is_help=True, help="Staff, their roles and tokens.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="what they are called in the audit")]
RoleName = Literal["viewer", "operator", "reader", "approver", "admin"]


@app.command()
def add(
    name: Name,
    role: Annotated[RoleName, typer.Option(help="what they may do; each includes those before it")],
    councils: Annotated[str, typer.Option(help="slugs with commas, or * for all")] = "*",
    json_out: Json = False,
) -> None:
    """A new member of staff. The token is printed once, and kept only as a hash."""
    with opened() as core:
        made = core.store.transact_now(
            lambda connection: credentials.add_user(
                connection, core.store.hasher, name=name, role=Role(role), councils=listed(councils),
                by=local_user().name,
            )
        )  # fmt: skip
    if json_out:
        say.as_json({"name": made.name, "token": made.secret})
        return
    say.line(made.secret)
    say.note(f"This is the token of {made.name}; it is not shown again.")


@app.command("list")
def list_users(json_out: Json = False) -> None:
    """Everybody, with their role and councils."""
    with opened() as core:
        rows = core.store.read_now(users.page)
    columns = {
        "name": "name",
        "role": "role",
        "councils": "councils",
        "added": "created_at",
        "disabled": "disabled_at",
    }
    found = {"items": [_shown(row) for row in rows], "next": None}
    say.page(found, columns, json_out=json_out, empty="There are none; `hub users add` makes one.")


@app.command()
def disable(name: Name) -> None:
    """Their token opens nothing any more, within seconds."""
    with opened() as core:
        core.store.transact_now(
            lambda connection: credentials.disable_user(connection, name=name, by=local_user().name)
        )
    say.note(f"{name} is disabled.")


def _shown(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "role": row.role,
        "councils": row.councils if row.councils is not None else ["*"],
        "created_at": row.created_at.isoformat(),
        "disabled_at": row.disabled_at.isoformat() if row.disabled_at else None,
    }

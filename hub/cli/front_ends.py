"""`hub front-ends`: who publishes, and with which keys."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.desk import local_user
from hub.cli.options import Json, listed
from hub.cli.store import opened
from hub.errors import HubError
from hub.standard import SERVICES
from hub.store import credentials, front_ends
from hub.store.credentials import Credential

app = typer.Typer(name="front-ends", no_args_is_help=True, help="Who publishes, and with which keys.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="what it is called in lists and in the audit")]
GivenKey = Annotated[
    str | None, typer.Option("--key", help="one that it already has (20 characters or more); else one is made")
]


@app.command()
def add(
    name: Name,
    councils: Annotated[str, typer.Option(help="slugs with commas, or * for all")],
    services: Annotated[str, typer.Option(help="codes with commas, or * for all")],
    key: GivenKey = None,
    format: Annotated[str | None, typer.Option(help="the format it sends, when it has one of its own")] = None,
    profile: Annotated[str | None, typer.Option(help="which of that format's mappings")] = None,
    json_out: Json = False,
) -> None:
    """A new front end. Its key is printed once, and kept only as a hash."""
    wanted = listed(services)
    unknown = sorted(set(wanted or ()) - set(SERVICES))
    if unknown:
        raise typer.BadParameter(f"there is no service {', '.join(unknown)}; there are {', '.join(SERVICES)}")
    with opened() as core:
        slugs = listed(councils)
        _warn_of_unknown(core, slugs)
        made = core.store.transact_now(
            lambda connection: credentials.add_front_end(
                connection, core.store.hasher, name=name, councils=slugs, services=wanted, key=key,
                format=format, profile=profile, by=local_user().name,
            )
        )  # fmt: skip
    _tell(made, json_out=json_out)


@app.command("list")
def list_front_ends(json_out: Json = False) -> None:
    """Every front end, and what its key reaches."""
    with opened() as core:
        rows = core.store.read_now(front_ends.page)
    found = {"items": [_shown(row) for row in rows], "next": None}
    columns = {
        "name": "name",
        "key begins": "prefix",
        "councils": "councils",
        "services": "services",
        "added": "created_at",
        "revoked": "revoked_at",
    }
    say.page(found, columns, json_out=json_out, empty="There are none; `hub front-ends add` makes one.")


@app.command()
def revoke(name: Name) -> None:
    """Its key opens nothing any more, within seconds."""
    with opened() as core:
        core.store.transact_now(
            lambda connection: credentials.revoke_front_end(connection, name=name, by=local_user().name)
        )
    say.note(f"{name} is revoked; `hub front-ends rotate {name}` would give it a new key.")


@app.command()
def rotate(name: Name, key: GivenKey = None, json_out: Json = False) -> None:
    """A new key; the old one ends within seconds."""
    with opened() as core:
        made = core.store.transact_now(
            lambda connection: credentials.rotate_front_end(
                connection, core.store.hasher, name=name, key=key, by=local_user().name
            )
        )
    _tell(made, json_out=json_out)


def _tell(made: Credential, *, json_out: bool) -> None:
    if json_out:
        say.as_json({"name": made.name, "key": made.secret, "prefix": made.prefix})
        return
    say.line(made.secret)
    say.note(f"This is the key of {made.name}; it is not shown again.")


def _warn_of_unknown(core: Any, slugs: list[str] | None) -> None:
    """A key may be made before its council is: a slug that nobody has is a remark, not an error."""
    try:
        known = set(core.councils().slugs) if core.councils.load_newest() else set()
    except HubError:
        return
    for slug in sorted(set(slugs or ()) - known):
        say.note(f"There is no council {slug} yet; the key reaches it once there is.")


def _shown(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "prefix": row.prefix,
        "councils": row.councils if row.councils is not None else ["*"],
        "services": row.services if row.services is not None else ["*"],
        "format": row.format,
        "profile": row.profile,
        "created_at": row.created_at.isoformat(),
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
    }

"""`hub submit`: publishes a file of submissions."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import say
from hub.cli.options import Json
from hub.client import Accepted, AsyncHub, Refused, Unreachable
from hub.errors import SettingsError
from hub.settings import Settings, environment_value


def submit(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON (one, or a list) or JSON lines; - is standard input")
    ],
    url: Annotated[
        str | None, typer.Option(help="address of the hub (or HUB_URL; else the one on this machine)")
    ] = None,
    key: Annotated[str | None, typer.Option(help="the front end's key (or HUB_KEY)")] = None,
    json_out: Json = False,
) -> int:
    """Publish a file of submissions, with a progress bar.

    Sending the same file again is harmless: each submission travels under an
    idempotency key that is made from its content and its place in the file.
    """
    settings = Settings.read()
    target = (url or environment_value("HUB_URL") or f"http://{settings.host}:{settings.port}").rstrip("/")
    used = key or environment_value("HUB_KEY")
    if not used:
        raise SettingsError("A front end's key is needed; give --key or HUB_KEY (`hub front-ends add` makes one).")
    found = read_file(file)
    if not found:
        raise SettingsError(f"{file} holds no submission; write one JSON object, a list of them, or one on each line.")
    answers = asyncio.run(publish(found, url=target, key=used))
    if json_out:
        say.items([_shown(at, one) for at, one in enumerate(answers)])
    else:
        _tell(answers, found=found)
    refused = sum(isinstance(one, Refused) for one in answers)
    say.note(f"{len(answers) - refused} taken" + (f", {refused} refused." if refused else "."))
    return 1 if refused else 0


def read_file(file: Path) -> list[Any]:
    """The submissions of a file: an object, a list, or one on each line. Raises SettingsError naming the line."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except OSError as failure:
        raise SettingsError(f"{file} cannot be read ({failure.strerror}); check the name.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8; save it as UTF-8.") from None
    found = _parsed(file, text)
    for number, one in enumerate(found, 1):
        if not isinstance(one, dict):
            raise SettingsError(f"{file}, number {number} is not a submission; each is a JSON object in {{ }}.")
    return found


def _parsed(file: Path, text: str) -> list[Any]:
    try:
        whole = json.loads(text)
    except ValueError as failure:
        if text.count("\n") == 0 or text.lstrip()[:1] == "[":
            raise SettingsError(f"{file} is not JSON ({failure}); mend it there.") from None
    else:
        return whole if isinstance(whole, list) else [whole]
    return [_line(file, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def keys_for(submissions: list[Any]) -> list[str]:
    """An idempotency key for each: the same for the same content, another for a second copy in the same file."""
    seen: dict[str, int] = {}
    keys = []
    for one in submissions:
        digest = hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()[:40]
        seen[digest] = seen.get(digest, 0) + 1
        keys.append(f"file-{digest}-{seen[digest]}")
    return keys


def _line(file: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as failure:
        raise SettingsError(f"{file}, line {number} is not JSON ({failure}); mend it there.") from None


async def publish(found: list[Any], *, url: str, key: str) -> list[Accepted | Refused]:
    """Publish each under its own key, and show how far it has come. Raises SettingsError where nothing answers."""
    answers: list[Accepted | Refused] = []
    with say.progress() as bar:
        task = bar.add_task("publishing", total=len(found))
        async with AsyncHub(url, key=key) as hub:
            try:
                async for _, one in hub.publish_many(found, keys=keys_for(found)):
                    answers.append(one)
                    bar.advance(task)
            except Unreachable as nobody:
                raise SettingsError(
                    f"{nobody} Start a hub with `hub run`, or mend --url. What was taken is safe: the same file may "
                    "be sent again."
                ) from nobody
            except Refused as refused:  # the request as a whole: the key, say
                raise SettingsError(refused.detail or str(refused)) from None
    return answers


def _tell(answers: list[Accepted | Refused], *, found: list[Any]) -> None:
    columns = {"nr": "number", "reference": "reference", "council": "council", "service": "service", "said": "told"}
    rows = []
    for at, one in enumerate(answers):
        if isinstance(one, Refused):
            told = " ".join([one.detail, *(f"{fault.pointer} {fault.message}" for fault in one.faults)])
        else:
            told = "taken before" if one.replayed else "taken"
        rows.append({**_named(found[at]), **one.raw, "number": at + 1, "told": told})
    say.table(rows, columns, empty="")


def _named(submission: Any) -> dict[str, Any]:
    """Whose it is meant to be, for one that was refused."""
    return {name: submission.get(name) for name in ("council", "service")}


def _shown(at: int, one: Accepted | Refused) -> dict[str, Any]:
    if isinstance(one, Refused):
        return {"index": at, **one.raw, "http_status": one.status, "replayed": False}
    return {"index": at, **one.raw, "http_status": 202, "replayed": one.replayed}

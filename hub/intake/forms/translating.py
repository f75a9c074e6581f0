"""A body in a front end's own format as a standard submission, or why it cannot be one yet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from hub import standard
from hub.core.profile import Mapped, Profile
from hub.core.sheets import READERS, Misshapen
from hub.council import Council
from hub.errors import HubError, Invalid, MappingFault, NotThere

log = structlog.get_logger("hub.intake")

_MOST_FAULTS = 20
_LONGEST_WHY = 4000
_HALVES = "Halves of characters were replaced by question marks."


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """What came of a body: a submission that keeps its contract (`read`), or why there is none."""

    service: str | None = None  #: as far as a profile says
    read: standard.Read | None = None
    remarks: Sequence[Mapping[str, str]] = ()
    why: str | None = None  #: file, line, leaf and field; never a value


def translate(
    value: Any, *, council: Council, format: str, profile: str, today: date, attachments: Sequence[str] = ()
) -> Translated:
    """Read a parsed body through its profile. Raises nothing: whatever fails, a person may mend and replay it.

    `today` is the London date of receipt; `attachments` are ids of files that came along.
    """
    try:
        found = council.profile(format, profile)
    except NotThere as absent:
        return Translated(why=str(absent))
    service = found.service
    value, halves = _whole(value)
    if not council.routes_for(service):
        return Translated(service=service, why=f"{council.slug} has no route for {service}; add one to council.yaml")
    try:
        read, mapped = _read(value, found, council, today, attachments)
    except Invalid as invalid:
        return Translated(service=service, why=_why(found, invalid))
    except (MappingFault, Misshapen, HubError) as failure:
        return Translated(service=service, why=str(failure)[:_LONGEST_WHY])
    except Exception as error:  # the resident was told "received": no bug of ours may make that untrue
        log.error("form.stumbled", council=council.slug, profile=found.file, error=type(error).__name__)
        why = f"{found.file}: it could not be read ({type(error).__name__}); tell the hub's operators"
        return Translated(service=service, why=why)
    return Translated(service=service, read=read, remarks=(*mapped.warnings, *halves))


def _whole(value: Any) -> tuple[Any, Sequence[Mapping[str, str]]]:
    """The value without halves of characters: JSON can escape one, and no encoding carries it any further."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode(errors="replace")), [{"pointer": "#", "message": _HALVES}]
    return value, ()


def _read(
    value: Any, profile: Profile, council: Council, today: date, attachments: Sequence[str]
) -> tuple[standard.Read, Mapped]:
    sheet = READERS[profile.format](value)
    mapped = profile.submission(sheet.answers, sheet.form, council=council.slug)
    data = mapped.data
    if attachments:
        stated = data.get("attachments")
        data = {**data, "attachments": [*(stated if isinstance(stated, list) else ()), *_named(attachments)]}
    return standard.read_data(data, today=today), mapped


def _named(attachments: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": each} for each in attachments]


def _why(profile: Profile, invalid: Invalid) -> str:
    lines = [f"{profile.where(pointer)}: {said}" for pointer, said in invalid.faults[:_MOST_FAULTS]]
    if len(invalid.faults) > _MOST_FAULTS:
        lines.append(f"and {len(invalid.faults) - _MOST_FAULTS} more")
    return "\n".join(lines)[:_LONGEST_WHY]


def canonical(value: Any) -> bytes:
    """One form of the same JSON value, whatever the order of its keys: for fingerprints."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

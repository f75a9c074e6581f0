"""What files are called: by our references, never by anything that could lead out of the folder."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from zoneinfo import ZoneInfo

from hub.connector import Delivery

_LONDON: Final = ZoneInfo("Europe/London")
_LONGEST: Final = 80  #: characters of an attachment's name that are kept
_WINDOWS: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def of_case(template: str, delivery: Delivery) -> str:
    """The file that a create makes: the same in every attempt."""
    return _filled(template, delivery, our_reference=delivery.our_reference)


def of_follow_up(template: str, delivery: Delivery, *, case: str) -> str:
    """The file of an update: it stands beside its case's, and is one of its own."""
    stem, dot, ending = _filled(template, delivery, our_reference=case).rpartition(".")
    beside = f"{delivery.operation}.{delivery.our_reference}"
    return _safe(f"{stem}.{beside}.{ending}" if dot else f"{ending}.{beside}")


def of_attachment(name: str, *, case: str, marked: str = "") -> str:
    """`ABCD-EFGH/photo.jpg`. `marked` tells two apart that the resident's telephone gave one name."""
    stem, dot, ending = _plain(name).rpartition(".")
    stem, ending = (stem, f".{ending}") if dot and stem else (f"{stem}{dot}{ending}", "")
    kept = f"{stem[: _LONGEST - len(ending)].strip(' .-') or 'file'}{f'-{marked}' if marked else ''}{ending}"
    return f"{_safe(case)}/{f'_{kept}' if _WINDOWS.fullmatch(kept) else kept}"


def day_of(delivery: Delivery) -> str:
    """The London date of receipt, which no attempt changes."""
    return delivery.received_at.astimezone(_LONDON).date().isoformat()


def _filled(template: str, delivery: Delivery, *, our_reference: str) -> str:
    told = {
        "our_reference": our_reference,
        "reference": delivery.reference,
        "operation": delivery.operation,
        "date": day_of(delivery),
    }
    return _safe(template.format_map(told))


def _safe(name: str) -> str:
    """References come from the hub and the council: whatever they hold, the name stays one name in the folder."""
    return re.sub(r"[^A-Za-z0-9 ._-]", "_", name).lstrip(". ") or "_"


def _plain(name: str) -> str:
    """A resident's file name: its last part, in letters that every file system and every share knows."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFKD", name))[-1]
    ascii_only = last.encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._ -]+", "-", ascii_only)
    stem, dot, ending = plain.rpartition(".")
    return f"{stem}{dot}{ending[:12]}".strip(" .-") if dot else plain.strip(" .-")

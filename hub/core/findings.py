"""What is wrong in a council file, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  #: the files are refused whole
    WARNING = "warning"  #: they are taken; some submission may need a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value's own text begins: a file, a line and a column, both from 1."""

    file: str
    line: int = 1
    column: int = 1

    def within(self, text: str, offset: int) -> Place:
        """The place of a character of the value that begins here."""
        before = text[: max(0, offset)]
        lines = before.count("\n")
        return Place(
            file=self.file,
            line=self.line + lines,
            column=self.column + len(before) - (before.rfind("\n") + 1 if lines else 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that `hub check` found. Quotes the file, never a secret and never a resident."""

    file: str
    line: int
    column: int
    code: str
    message: str
    remedy: str
    severity: Severity = Severity.ERROR

    @classmethod
    def at(cls, place: Place, code: str, message: str, remedy: str, *, severity: Severity = Severity.ERROR) -> Finding:
        return cls(
            file=place.file,
            line=place.line,
            column=place.column,
            code=code,
            message=message,
            remedy=remedy,
            severity=severity,
        )

    def as_dict(self) -> dict[str, str | int]:
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "severity": self.severity.value,
        }


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    folded = {each.lower().replace("-", "_"): each for each in sorted(known)}
    wanted = word.lower().replace("-", "_")
    close = difflib.get_close_matches(wanted, folded, n=6, cutoff=0.5)
    # Somebody who wrote the beginning of a word meant that word, however long it is.
    begun = [each for each in folded if len(wanted) > 2 and each.startswith(wanted)]
    return folded[min(begun or close, key=lambda each: _slips(wanted, each))] if begun or close else None


def _slips(one: str, other: str) -> int:
    """How many slips of the finger lie between two words: a letter more, less, changed, or two exchanged."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        made = [at]
        for to, wanted in enumerate(other, start=1):
            slips = min(row[to] + 1, made[to - 1] + 1, row[to - 1] + (letter != wanted))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == wanted:
                slips = min(slips, before[to - 2] + 1)
            made.append(slips)
        before, row = row, made
    return row[-1]


def instead(word: str, known: Iterable[str], *, what: str = "use one of") -> str:
    """What to write in place of a word that is not known: the nearest, and what there is."""
    words = sorted(set(known))
    near = nearest(word, words)
    if near is not None:
        return f"did you mean `{near}`?"
    if not words:
        return "leave it out"
    return f"{what}: {', '.join(words[:20])}{' …' if len(words) > 20 else ''}"

"""One contract in several versions: what a version changed, and how the data of either side reads on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a version changed against the one before it.

    `up` and `down` take the data of any submission that keeps the one contract
    and give what keeps the other; neither fails. `up` loses nothing and guesses
    nothing. What the older version has no field for, `down` sets aside.
    """

    about: str  #: for the authors of forms: what is different now
    up: Callable[[Data], Data]
    down: Callable[[Data], Data]


def set_aside(data: Data, answers: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The data with answers that it has no field for in `extra`, where staff see them and mappings find them."""
    if not answers:
        return dict(data)
    extra: dict[str, Any] = dict(data.get("extra", {}))
    for question, texts in answers.items():
        extra[_free(question, extra)] = list(texts)
    return {**data, "extra": extra}


def _free(question: str, taken: Mapping[str, Any]) -> str:
    """The question under a name that no answer of the front end has."""
    while question in taken:
        question = f"{question} *"
    return question

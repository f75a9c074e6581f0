"""Answers typed into a form, in the JSON types that a contract wants; only where their text says it plainly."""

from __future__ import annotations

import re
from typing import Any, Final

from hub.core.kinds import NUMBERS, SCALARS, kind_of
from hub.core.paths import Shape

_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
_TRUTH: Final = {"true": True, "yes": True, "false": False, "no": False}


def fit(value: Any, shape: Shape | None) -> Any:
    """The value with its texts and numbers as the contract types them; what cannot be fitted stays as it is.

    Form builders send every answer as text, and a UPRN perhaps as a number:
    "2" becomes 2 where a whole number is wanted, 1000001 becomes "1000001" where
    a text is.
    """
    if shape is None:
        return value
    match value:
        case dict():
            return {key: fit(each, shape.key(key)) for key, each in value.items()}
        case list():
            element = shape.element()
            return [fit(each, element) for each in value]
        case _:
            return _scalar(value, shape.types)


def may_fit(given: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether some value of a type given could be fitted to a type wanted. Unknown types may."""
    if not given or not wanted or given & wanted:
        return True
    if given & NUMBERS and wanted & (NUMBERS | {"string"}):
        return True
    return "string" in given and bool(wanted & SCALARS)


def _scalar(value: Any, wanted: frozenset[str]) -> Any:
    kind = kind_of(value)
    if not wanted or kind in wanted or (kind == "integer" and "number" in wanted):
        return value
    match value:
        case str():
            return _of_text(value.strip(), wanted, otherwise=value)
        case bool():
            return value
        case int() if "string" in wanted:
            return str(value)
        case float() if value.is_integer() and wanted & {"string", "integer"}:
            return str(int(value)) if "string" in wanted else int(value)
        case float() if "string" in wanted:
            return repr(value)
        case _:
            return value


def _of_text(text: str, wanted: frozenset[str], *, otherwise: str) -> Any:
    if wanted & NUMBERS and _WHOLE.fullmatch(text):
        return int(text)
    if "number" in wanted and _DECIMAL.fullmatch(text):
        return float(text)
    if "boolean" in wanted and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    return otherwise

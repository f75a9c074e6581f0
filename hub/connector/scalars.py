"""Values of a plain tree as XML Schema writes them: numbers, dates, bytes, true and false."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final

Scalar = str | bytes | bool | int | float | Decimal | date | time


class Unfit(ValueError):
    """This cannot be written down as the WSDL has it. The text names elements and never quotes a value."""


class Later:
    """Stands for a value that is known only when it is sent, and fits wherever one may stand: for trees that are
    checked before. The class itself is put there."""


def lexical(kind: str, value: Scalar) -> str:
    """The text of this value as a builtin type of XML Schema, by its local name. Raises Unfit."""
    return _WRITERS.get(kind, _text)(value)


def _text(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return base64.b64encode(value).decode()
        case float() | Decimal():
            return _decimal(value)
        case datetime() | date() | time():
            return _instant(value)
        case _:
            return str(value)


def _boolean(value: Scalar) -> str:
    word = _text(value).strip().lower()
    if word not in ("true", "false", "1", "0"):
        raise Unfit("must be true or false")
    return word


_WHOLE: Final = re.compile(r"[+-]?\d{1,40}")
_BOUNDS: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "integer": (None, None),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 255),
}


def _whole(kind: str) -> Callable[[Scalar], str]:
    least, most = _BOUNDS[kind]
    match least, most:
        case int(), int():
            bounds = f" from {least} to {most}"
        case int(), None:
            bounds = f" from {least}"
        case None, int():
            bounds = f" of at most {most}"
        case _:
            bounds = ""

    def write(value: Scalar) -> str:
        if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
            value = int(value)
        text = "" if isinstance(value, bool) else _text(value).strip()
        if not _WHOLE.fullmatch(text):
            raise Unfit(f"must be a whole number{bounds}")
        number = int(text)
        if (least is not None and number < least) or (most is not None and number > most):
            raise Unfit(f"must be a whole number{bounds}")
        return str(number)

    return write


def _decimal(value: Scalar) -> str:
    try:
        number = Decimal(str(value).strip()) if not isinstance(value, bool | bytes) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > 40:
        raise Unfit("must be a number")
    return f"{number:f}"


_FLOATING: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?|-?INF|NaN", re.ASCII)


def _floating(value: Scalar) -> str:
    text = "" if isinstance(value, bool | bytes) else str(value).strip()
    if not _FLOATING.fullmatch(text):
        raise Unfit("must be a number")
    return text


_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ZONED_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})")


def _date(value: Scalar) -> str:
    text = _instant(value) if isinstance(value, date) else _text(value).strip()
    try:
        if (zoned := _ZONED_DATE.fullmatch(text)) is not None:
            date.fromisoformat(zoned[1])
            return text
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
        return _moment(text).date().isoformat()
    except ValueError:
        raise Unfit("must be a date such as 2026-01-31") from None


def _date_time(value: Scalar) -> str:
    if isinstance(value, date):
        return _instant(value if isinstance(value, datetime) else datetime.combine(value, time()))
    try:
        text = _text(value).strip()
        if _DATE.fullmatch(text):
            return _instant(datetime.combine(date.fromisoformat(text), time()))
        return _instant(_moment(text))
    except ValueError:
        raise Unfit("must be a date and time such as 2026-01-31T09:00:00Z") from None


_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?")


def _moment(text: str) -> datetime:
    # Only the long form: the library also reads `20260131T09` and weeks, where a wrong field would pass for a date.
    if not _MOMENT.fullmatch(text):
        raise ValueError("no date and time")
    return datetime.fromisoformat(text)


def _time(value: Scalar) -> str:
    if isinstance(value, time):
        return _instant(value)
    text = _text(value).strip()
    try:
        return _instant(time.fromisoformat(text if ":" in text else ""))
    except ValueError:
        raise Unfit("must be a time such as 09:00:00") from None


def _instant(value: date | time) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _base64(value: Scalar) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    try:
        text = re.sub(r"\s+", "", _text(value))
        base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Unfit("must be base64") from None
    return text


def _hex(value: Scalar) -> str:
    if isinstance(value, bytes):
        return value.hex().upper()
    text = _text(value).strip()
    try:
        bytes.fromhex(text)
    except ValueError:
        raise Unfit("must be hexadecimal digits, two for each byte") from None
    return text


_DURATION: Final = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_PARTS: Final = {
    "duration": (_DURATION, "must be a duration such as P1DT2H"),
    "gYear": (re.compile(r"-?\d{4,}(Z|[+-]\d{2}:\d{2})?"), "must be a year such as 2026"),
    "gYearMonth": (re.compile(r"-?\d{4,}-\d{2}(Z|[+-]\d{2}:\d{2})?"), "must be a month such as 2026-01"),
    "gMonthDay": (re.compile(r"--\d{2}-\d{2}(Z|[+-]\d{2}:\d{2})?"), "must be a day of the year such as --01-31"),
    "gDay": (re.compile(r"---\d{2}(Z|[+-]\d{2}:\d{2})?"), "must be a day of the month such as ---31"),
    "gMonth": (re.compile(r"--\d{2}(Z|[+-]\d{2}:\d{2})?"), "must be a month such as --01"),
}


def _part(kind: str) -> Callable[[Scalar], str]:
    pattern, fault = _PARTS[kind]

    def write(value: Scalar) -> str:
        text = _text(value).strip()
        if not pattern.fullmatch(text):
            raise Unfit(fault)
        return text

    return write


_WRITERS: Final[Mapping[str, Callable[[Scalar], str]]] = {
    "boolean": _boolean,
    "decimal": _decimal,
    "float": _floating,
    "double": _floating,
    "date": _date,
    "dateTime": _date_time,
    "time": _time,
    "base64Binary": _base64,
    "hexBinary": _hex,
    **{kind: _whole(kind) for kind in _BOUNDS},
    **{kind: _part(kind) for kind in _PARTS},
}

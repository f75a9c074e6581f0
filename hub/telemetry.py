"""What the hub says of itself: log lines that hold ids, and never a resident's words."""

from __future__ import annotations

import json
import logging
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from types import TracebackType
from typing import Any, Literal, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from hub.errors import HubError

#: Libraries, and the least that each may say. Below these lines uvicorn and aiohttp log the query of every
#: request, and zeep whole envelopes.
QUIET: Mapping[str, int] = {
    "aiohttp": logging.ERROR,
    "aiohttp.access": logging.CRITICAL,
    "alembic": logging.WARNING,
    "amqp": logging.CRITICAL,  # `broker.away` says it once
    "asyncio": logging.ERROR,
    "kombu": logging.CRITICAL,
    "python_multipart": logging.CRITICAL,  # a broken form is its sender's to mend, and is answered
    "sqlalchemy": logging.ERROR,
    "urllib3": logging.ERROR,
    "uvicorn": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
    "zeep": logging.ERROR,
}

#: The last word or two of a key say what it holds: `caller_email` is caught, `email_count` is not.
PERSONAL = frozenset(
    """
    address addresses postcode uprn usrn easting northing latitude longitude
    email phone telephone mobile first_name last_name full_name surname forename birth registration
    contact property location description details extra answers text message
    body payload content record evidence envelope request response headers query params cookies url uri
    password secret token authorization cookie api_key key credentials
    """.split()
)

#: What slips in under an innocent name: an email address, a postcode.
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}")
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")

HIDDEN = "‹not logged›"
LONGEST = 300  #: characters of one value; an id is never as long


class NotLogged(UserWarning):
    """A log line was about to hold something personal; log its id instead."""


def configure(format: Literal["console", "json"], *, level: str = "info", stream: TextIO | None = None) -> None:
    """Set up logging for this process: one event a line, to `stream` or whatever standard error is by then.

    Called by `assembly` or `cli`, and safe to call again. Libraries that log
    through the standard library come out in the same form.
    """
    rendering: Processor = (
        _as_json if format == "json" else structlog.dev.ConsoleRenderer(colors=(stream or sys.stderr).isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            without_personal_data,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            with_failure_named,
            rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(stream),
        # Cached, a logger would outlive the settings it was made with; uncached it costs 5 µs a line.
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromTheStandardLibrary()]
    root.setLevel(logging.WARNING)
    for name, least in QUIET.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(least)


def get_logger(name: str) -> Any:
    """A logger for one module; the same as `structlog.get_logger`, which every room may use."""
    return structlog.get_logger(name)


def without_personal_data(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The net below every line: hides what is personal by its name or its look, and warns whoever wrote it.

    Under test that warning is an error.
    """
    kept = {}
    for key, value in event.items():
        if key in {"exc_info", "stack_info"}:
            kept[key] = value
        elif not _is_personal(key, value):
            # Most values are short ids, and `_plain` would ask a dozen questions of each.
            kept[key] = value if type(value) is str and len(value) <= LONGEST else _plain(value)
        else:
            kept[key] = HIDDEN
            warnings.warn(f"{key!r} in the log line {event.get('event')!r}: log its id instead", NotLogged, 2)
    return kept


def with_failure_named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An exception as its type and its frames; its words only where they are ours, for others may quote a resident."""
    failure = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if failure is True:
        failure = sys.exc_info()[1]
    if isinstance(failure, tuple):
        failure = failure[1]
    if isinstance(failure, BaseException):
        event["failure"] = [line for each in _chain(failure) for line in _told(each)]
    return event


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=repr)  # made once: `json.dumps` makes one for each line


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _ENCODER.encode(event)


class _Lines:
    """Writes whole lines; standard error is looked up each time, for tests and daemons replace it."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        stream = self._stream or sys.stderr
        with suppress(OSError):  # a full disk, or a reader that has left: nothing that the hub does may fail for it
            stream.write(line + "\n")
            stream.flush()

    debug = info = warning = warn = error = critical = fatal = exception = failure = log = msg


class _FromTheStandardLibrary(logging.Handler):
    """Takes what libraries log: the first line of their template, without the values they would fill in."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = str(record.msg).splitlines() or [""]
        structlog.get_logger().log(record.levelno, lines[0], logger=record.name, exc_info=record.exc_info)


def _is_personal(key: str, value: object) -> bool:
    if _says_personal(key):
        return value is not None
    return isinstance(value, str) and _tells(value)


@lru_cache(maxsize=1024)
def _says_personal(key: str) -> bool:
    words = key.lower().split("_")
    return key != "event" and (words[-1] in PERSONAL or "_".join(words[-2:]) in PERSONAL)


def _tells(text: str) -> bool:
    # To look for the one character first takes no time beside the patterns, and most values are ids.
    return ("@" in text and _EMAIL.search(text) is not None) or (" " in text and _POSTCODE.search(text) is not None)


def _plain(value: object) -> object:
    """Ids, numbers, times and lists of them; of anything larger only what it is."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | float():
            return value
        case str():
            return value if len(value) <= LONGEST else value[:LONGEST] + "…"
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case list() | tuple() | set() | frozenset():
            return [HIDDEN if isinstance(each, str) and _tells(each) else _plain(each) for each in value]
        case _:
            return f"‹{type(value).__name__}›"


def _chain(failure: BaseException) -> list[BaseException]:
    """The failure and what it came from, outermost first."""
    chain: list[BaseException] = []
    at: BaseException | None = failure
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return chain


def _told(failure: BaseException) -> Sequence[str]:
    words = f": {failure}" if isinstance(failure, HubError) else ""
    return [f"{type(failure).__qualname__}{words}", *_frames(failure.__traceback__)]


def _frames(traceback: TracebackType | None) -> list[str]:
    """`module:line function` of each frame, innermost last; no values and no folders of the machine."""
    frames = []
    while traceback is not None:
        frame = traceback.tb_frame
        frames.append(f"  {frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno} {frame.f_code.co_name}")
        traceback = traceback.tb_next
    return frames

"""Rules and remarks that several services share."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from hub.model import Warning
from hub.standard.rules import AnyOf, Needs, NotTrue, Rule, WhenIn

_LONDON: Final = ZoneInfo("Europe/London")

AT_HOME = AnyOf(("uprn", "address"), "Add `uprn` or `address`: this service needs to know the home.")

#: Somebody to tell when the crew comes, or why it does not.
SOMEBODY = NotTrue("anonymous", "Leave this out and say how to be reached: this service has to answer somebody.")

#: What costs something is paid for before it is sent.
PAID = WhenIn("details", "chargeable", (True,), (Needs("payment", "Add `payment`: `details.chargeable` is true."),))

FINDABLE = AnyOf(
    ("lat", "easting", "usrn", "nearest_address", "description", "asset_id", "w3w"),
    "Say where it is: `lat` and `long`, `easting` and `northing`, `usrn`, `nearest_address` or `description`.",
)

#: Somebody with a name, to whom an answer can be sent.
ANSWERABLE: tuple[Rule, ...] = (
    NotTrue("anonymous", "Leave this out and send a name: this service answers a named person."),
    AnyOf(("full_name", "last_name"), "Add `full_name`, or `first_name` and `last_name`: the law asks for a name."),
    AnyOf(("email", "address"), "Add `email` or `address`: the answer needs somewhere to go."),
)


def unworded(where: str) -> Warning:
    """For `other` without `<name>_other` beside it: taken, but staff will have to ask."""
    return Warning(pointer=where, message=f"Say what `other` is in `{where.rpartition('/')[2]}_other`.")


def in_future(where: str, day: date | None, *, today: date) -> list[Warning]:
    """For a day that is yet to come, or a time that is of one."""
    # Compared and not moved to London: a time at either end of the calendar cannot be moved.
    last = datetime.combine(today, time.max, tzinfo=_LONDON) if isinstance(day, datetime) else today
    if day is None or day <= last:
        return []
    return [Warning(pointer=where, message="This date is in the future; check it.")]


def in_past(where: str, day: date | None, *, today: date) -> list[Warning]:
    """For a day, or the day of a time, that should be yet to come."""
    if isinstance(day, datetime):
        day = day.astimezone(_LONDON).date()
    if day is None or day >= today:
        return []
    return [Warning(pointer=where, message="This date is in the past; check it.")]

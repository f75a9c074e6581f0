"""Rules and remarks that several services share."""

from __future__ import annotations

from datetime import date

from hub.model import Warning
from hub.standard.rules import AnyOf, NotTrue, Rule

AT_HOME = AnyOf(("uprn", "address"), "Add `uprn` or `address`: this service needs to know the home.")

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
    if day is None or day <= today:
        return []
    return [Warning(pointer=where, message="This date is in the future; check it.")]

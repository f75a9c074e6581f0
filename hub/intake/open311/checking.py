"""The few things that this door refuses a form for: where it belongs, where it is, numbers and dates."""

from __future__ import annotations

import re
from datetime import datetime

from hub.core.form_fields import attributes
from hub.core.offer import Datatype, Offer
from hub.council import Council, Councils
from hub.intake.open311.reading import Sent
from hub.intake.problems import Stop, stop

_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].{1,24})?", re.ASCII)
_REACH = {"lat": 90.0, "long": 180.0}
#: Attributes that say where it is, as mySociety's councils call them.
_PLACES = ("uprn", "usrn", "nsgref", "site_code")


def check_jurisdiction(named: str, council: Council, councils: Councils) -> None:
    """An empty one is the council of the address. Raises Stop (400 for another council's, 404 for nobody's)."""
    if not named or named.lower() in (council.slug, council.gss.lower()):
        return
    if any(named.lower() in (other.slug, other.gss.lower()) for other in councils):
        raise stop("bad-request", f"This address is for jurisdiction_id={council.slug}; use the other council's own.")
    raise stop("not-found", f"There is no such jurisdiction_id here; send {council.slug}, or leave it out.")


def check_form(sent: Sent, offer: Offer) -> None:
    """Raises Stop (400): no location of any kind, or a number or date that cannot be read."""
    for name, reach in _REACH.items():
        for text in filter(None, sent.all(name)):
            if not _NUMBER.fullmatch(text) or abs(float(text)) > reach:
                raise stop("bad-request", f"{name} is not a number from -{reach:g} to {reach:g}; send decimal degrees.")
    kinds = {attribute.code: attribute.datatype for attribute in offer.attributes}
    for code, text in attributes(sent.pairs):
        match kinds.get(code):
            case Datatype.NUMBER if not _NUMBER.fullmatch(text):
                raise _unreadable(code, "a number", "send digits, with a point for decimals")
            case Datatype.DATETIME if not _is_date(text):
                raise _unreadable(code, "a date", "send it as 2026-07-03T14:30:36Z")
            case _:
                pass
    if not _is_somewhere(sent):
        do = "Say where it is: lat and long, address_string, address_id or attribute[uprn]."
        raise stop("bad-request", do)


def _unreadable(code: str, what: str, remedy: str) -> Stop:
    # The code is the definition's own: an unknown attribute is never refused.
    return stop("bad-request", f"attribute[{code}] is not {what}; {remedy}.")


def _is_date(text: str) -> bool:
    """A real day, with or without a time and a zone."""
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_somewhere(sent: Sent) -> bool:
    if sent.one("lat") and sent.one("long"):
        return True
    if sent.one("address_string") or sent.one("address_id") or sent.attribute(*_PLACES):
        return True
    return bool(sent.attribute("easting") and sent.attribute("northing"))

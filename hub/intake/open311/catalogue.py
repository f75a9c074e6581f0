"""The services that a council offers here, and what each asks for: made from its profiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.core.offer import Attribute, Automated, Datatype, Offer, offered
from hub.core.profile import Profile
from hub.council import Council
from hub.intake.problems import stop
from hub.standard import SERVICES

FORMAT = "open311"
#: What FixMyStreet fills in by itself, and only where the definition asks for it. The first makes a repeat harmless.
IDENTITY = "fixmystreet_id"
_BY_ITSELF: Mapping[str, tuple[str, Datatype, Automated]] = {
    IDENTITY: ("FixMyStreet report number", Datatype.STRING, Automated.SERVER_SET),
    "easting": ("Easting", Datatype.NUMBER, Automated.SERVER_SET),
    "northing": ("Northing", Datatype.NUMBER, Automated.SERVER_SET),
    "closest_address": ("Closest address", Datatype.STRING, Automated.SERVER_SET),
    "uprn": ("UPRN", Datatype.STRING, Automated.HIDDEN_FIELD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One service of a council under the code that clients send."""

    code: str
    service: str
    offer: Offer


def entries(council: Council) -> list[Entry]:
    """Every one that clients are shown, by its code."""
    return [_entry(code, profile) for code, profile in offered(council.profiles(FORMAT)).items()]


def entry(council: Council, code: str) -> Entry:
    """The service of this code, shown or not: a client may know it from before. Raises Stop (404)."""
    profile = council.profiles(FORMAT).get(code)
    if profile is None:
        raise stop("not-found", f"There is no service of that code; GET services lists those of {council.slug}.")
    return _entry(code, profile)


def _entry(code: str, profile: Profile) -> Entry:
    # A profile without a block is a service all the same: under the name of its contract.
    known = SERVICES.get(profile.service)
    offer = profile.offer or Offer(name=known.title if known else code, description=known.description if known else "")
    reads = {steps[1] for steps in profile.read if len(steps) > 1 and steps[0] == "attributes"}
    return Entry(code=code, service=profile.service, offer=asked(offer, reads))


def asked(offer: Offer, reads: Collection[str]) -> Offer:
    """The offer with what its mapping reads and clients send only when asked: the report's number always."""
    declared = {attribute.code for attribute in offer.attributes}
    last = max((attribute.order for attribute in offer.attributes), default=0)
    missing = [code for code in _BY_ITSELF if (code in reads or code == IDENTITY) and code not in declared]
    added = tuple(_attribute(code, order=last + number) for number, code in enumerate(missing, start=1))
    return replace(offer, attributes=(*offer.attributes, *added))


def _attribute(code: str, *, order: int) -> Attribute:
    description, datatype, automated = _BY_ITSELF[code]
    return Attribute(code=code, description=description, datatype=datatype, automated=automated, order=order)


def listed(one: Entry) -> dict[str, Any]:
    """A service as `GET services` tells of it."""
    offer = one.offer
    told: dict[str, Any] = {
        "service_code": one.code,
        "service_name": offer.name,
        "description": offer.description or offer.name,
        "metadata": bool(offer.attributes),
        "type": offer.pace.value,
        "keywords": ",".join(offer.keywords),
    }
    match offer.groups:
        case ():
            pass
        case (group,):
            told["group"] = group
        case groups:
            told["groups"] = list(groups)
    return told


def defined(one: Entry) -> dict[str, Any]:
    """Its attributes as `GET services/{code}` tells of them, in their order."""
    attributes = sorted(one.offer.attributes, key=lambda attribute: attribute.order)
    return {"service_code": one.code, "attributes": [_told(attribute) for attribute in attributes]}


def _told(attribute: Attribute) -> dict[str, Any]:
    told: dict[str, Any] = {
        "code": attribute.code,
        "datatype": attribute.datatype.value,
        "required": attribute.required,
        "variable": attribute.variable,
        "order": attribute.order,
        "description": attribute.description,
        "datatype_description": attribute.datatype_description,
    }
    if attribute.automated is not None:
        told["automated"] = attribute.automated.value
    if attribute.values:
        told["values"] = [{"key": key, "name": name} for key, name in attribute.values]
    return told

"""Where it is: somebody's home, or a spot on the map."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from hub.model import Warning
from hub.standard.fields import (
    Between,
    CustodianCode,
    Maybe,
    Postcode,
    Str64,
    Str100,
    Str300,
    Str1000,
    Uprn,
    Usrn,
    is_postcode,
)
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.rules import Rule, Together

Lines = Annotated[list[Str100], Field(min_length=1, max_length=4)]
Latitude = Annotated[float, Between(-90, 90)]
Longitude = Annotated[float, Between(-180, 180)]
Easting = Annotated[float, Between(0, 700_000)]
Northing = Annotated[float, Between(0, 1_300_000)]


class Address(Part):
    """A postal address, in lines as people write it."""

    lines: Lines = required(
        "Address lines", "Llinellau'r cyfeiriad", example=["Flat 2", "1 High Street"], personal=Personal.YES
    )
    town: Maybe[Str100] = optional("Town or city", "Tref neu ddinas", example="Northborough", personal=Personal.YES)
    county: Maybe[Str100] = optional("County", "Sir", example="Northshire", personal=Personal.YES)
    postcode: Maybe[Postcode] = optional(
        "Postcode",
        "Cod post",
        example="NB1 2CD",
        personal=Personal.YES,
        about="Any case and spacing; the hub tidies one that it recognises.",
    )


class Property(Part):
    """A home or other premises: by UPRN where the front end knows it, else by address."""

    uprn: Maybe[Uprn] = optional(
        "Unique property reference number (UPRN)",
        "Cyfeirnod eiddo unigryw (UPRN)",
        example="100012345678",
        personal=Personal.YES,
        about="Digits in a string; leading zeros are taken off.",
    )
    usrn: Maybe[Usrn] = optional(
        "Unique street reference number (USRN)", "Cyfeirnod stryd unigryw (USRN)", example="20601234"
    )
    address: Maybe[Address] = optional("Address", "Cyfeiriad", example={"lines": ["1 High Street"]})
    custodian_code: Maybe[CustodianCode] = optional(
        "Local custodian code", "Cod ceidwad lleol", example="5990", about="The council that keeps this address."
    )

    def remarks(self, *, today: date) -> list[Warning]:
        postcode = self.address.postcode if self.address else None
        if postcode is None or is_postcode(postcode):
            return []
        do = "This is not of a UK postcode's form; check it."
        return [Warning(pointer="#/property/address/postcode", message=do)]


class Location(Part):
    """A spot: coordinates of either kind, a street, an asset, or words. Nothing is converted silently."""

    lat: Maybe[Latitude] = optional("Latitude (WGS84)", "Lledred (WGS84)", example=52.6369, personal=Personal.YES)
    long: Maybe[Longitude] = optional("Longitude (WGS84)", "Hydred (WGS84)", example=-1.1398, personal=Personal.YES)
    easting: Maybe[Easting] = optional(
        "Easting (OSGB36, metres)", "Dwyreiniad (OSGB36, metrau)", example=458_300, personal=Personal.YES
    )
    northing: Maybe[Northing] = optional(
        "Northing (OSGB36, metres)", "Gogleddiad (OSGB36, metrau)", example=304_500, personal=Personal.YES
    )
    usrn: Maybe[Usrn] = optional(
        "Unique street reference number (USRN)", "Cyfeirnod stryd unigryw (USRN)", example="20601234"
    )
    nearest_address: Maybe[Str300] = optional(
        "Nearest address", "Cyfeiriad agosaf", example="Opposite 12 Mill Lane", personal=Personal.YES
    )
    description: Maybe[Str1000] = optional(
        "Where it is, in words",
        "Ble mae, mewn geiriau",
        example="Behind the bus shelter",
        personal=Personal.YES,
    )
    pinned: Maybe[bool] = optional("Placed on a map by hand", "Wedi'i osod ar fap â llaw", example=True)
    asset_id: Maybe[Str64] = optional("Asset number", "Rhif ased", example="LC-0042")
    w3w: Maybe[Str100] = optional("what3words", "what3words", example="filled.count.soap", personal=Personal.YES)

    rules: ClassVar[tuple[Rule, ...]] = (Together("lat", "long"), Together("easting", "northing"))

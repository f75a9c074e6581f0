"""Aligned Assets SinglePoint: the nearest street to a point, asked for before a Jadu case is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.jadu.records import Near
from connectors.jadu.settings import GazetteerSettings
from hub.connector import Answer, Http, Refused

_TAGS = ("USRN", "STREET", "TOWN")


class Gazetteer:
    """Reads only. No street near the point is the record's fault: a person mends the location."""

    def __init__(self, settings: GazetteerSettings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._url = settings.url.rstrip("/") + "/SpatialRadialSearchByEastingNorthing"

    async def fields(self, near: Near) -> dict[str, str]:
        """The form's street fields for the first row that has all three and, where towns have officers, one of them."""
        settings = self._settings
        answer = await self._http.read("GET", self._url, params=self._params(near))
        for row in _rows(answer):
            usrn, street, town = (row.get(tag, "") for tag in _TAGS)
            if not (usrn and street and town):
                continue
            found = {settings.usrn_field: usrn, settings.street_field: street, settings.town_field: town}
            if not settings.officers:
                return found
            if town in settings.officers:
                return found | {settings.officer_field: settings.officers[town]}
        text = f"The gazetteer has no usable street within {settings.distance} m of the place; mend it, then replay."
        raise Refused(text, code="jadu_no_street")

    def _params(self, near: Near) -> dict[str, str]:
        return {
            "apiKey": self._settings.api_key.get_secret_value(),
            "adapterName": self._settings.adapter,
            "easting": f"{near.easting:.0f}",
            "northing": f"{near.northing:.0f}",
            "unit": "Meter",
            "distance": str(self._settings.distance),
        }


def _rows(answer: Answer) -> Iterator[Mapping[str, str]]:
    """Each row's values by tag, nearest first. The elements' namespace is not documented, so none is asked for."""
    for item in answer.xml().iterfind(".//{*}SearchResultItem"):
        infos = item.iterfind("{*}FieldItems/{*}FieldInfo")
        yield {(i.findtext("{*}Tag") or ""): (i.findtext("{*}Value") or "").strip() for i in infos}

"""What Jadu and the gazetteer beside it receive, off the wire."""

from __future__ import annotations

import json
from typing import Any

from connectors.jadu import Jadu
from connectors.jadu.simulator import JaduBackOffice
from hub.connector import Http, StepKind
from hub.connector.testing import Sent, serving, tapped
from hub.connector.testing.trial import photo
from tests.offices import delivery, on_the_wire

SETTINGS: dict[str, Any] = {
    "url": "{url}/api/service-api/norbert/",
    "api_key": "key",
    "username": "user",
    "password": "pass",
}
GAZETTEER = {"gazetteer": {"url": "{url}/singlepoint/", "api_key": "gaz", "officers": {"Chicksands": "area_1"}}}

#: shared/back-offices.md 7.2: the keys of Central Bedfordshire's form that do not come from the gazetteer.
FORM: dict[str, Any] = {
    "coordinates": "52.035536,-0.360673",
    "ens-latitude": "52.035536",
    "ens-longitude": "-0.360673",
    "ens-google-street-view-url": "https://google.com/maps/@?api=1&map_action=pano&viewpoint=52.035536,-0.360673",
    "ens-location-description": "By the ditch",
    "ens-description-of-fly-tipped-waste": "Black bags",
    "ens-land-type": "Footpath",
    "ens-type-of-waste-fly-tipped": "Asbestos,Black bags",
    "ens-fly-tip-witnessed": "Yes",
    "ens-description-of-alleged-offender": None,
    "ens-fly-tip-date": "2023-07-03",
    "ens-fly-tip-time": "14:30",
    "sys-first-name": "Fred",
    "sys-last-name": "Smith",
    "sys-email-address": "fred@example.com",
    "sys-telephone-number": None,
    "fms-reference": "ABCD-EFGH",
    "sys-channel": "web",
    "created-by": None,
}


async def _sent(settings: dict[str, Any], record: dict[str, Any]) -> list[Sent]:
    return await on_the_wire(Jadu, JaduBackOffice(), settings=settings, record={"case_type": "fly-tipping", **record})


async def test_it_signs_in_with_the_key_and_then_creates_with_key_and_token() -> None:
    sign_in, create = await _sent(SETTINGS, FORM)
    assert (sign_in.method, sign_in.target) == ("POST", "/api/service-api/norbert/sign-in")
    assert json.loads(sign_in.body) == {"username": "user", "password": "pass"}
    assert sign_in.headers["X-API-KEY"] == "key"
    assert "X-API-TOKEN" not in sign_in.headers
    assert (create.method, create.target) == ("POST", "/api/service-api/norbert/fly-tipping/case/create")
    assert create.headers["X-API-KEY"] == "key"
    assert create.headers["X-API-TOKEN"].startswith("tok-")
    assert create.headers["Content-Type"] == "application/json"


async def test_the_form_is_flat_json_with_null_for_no_answer() -> None:
    _, create = await _sent(SETTINGS, FORM)
    assert json.loads(create.body) == FORM
    assert list(json.loads(create.body)) == list(FORM)


async def test_the_gazetteer_is_asked_before_the_create_and_its_street_is_sent() -> None:
    search, _, create = await _sent(SETTINGS | GAZETTEER, {**FORM, "near": {"easting": 512462.4, "northing": 238000}})
    assert search.method == "GET"
    assert search.target == (
        "/singlepoint/SpatialRadialSearchByEastingNorthing"
        "?apiKey=gaz&adapterName=LLPG&easting=512462&northing=238000&unit=Meter&distance=100"
    )
    street = {"usrn": "25202550", "ens-street": "Monk's Walk", "sys-town": "Chicksands", "eso-officer": "area_1"}
    assert json.loads(create.body) == FORM | street


async def test_a_form_without_a_place_does_not_ask_the_gazetteer() -> None:
    assert [request.target.rpartition("/")[2] for request in await _sent(SETTINGS | GAZETTEER, FORM)] == [
        "sign-in",
        "create",
    ]


async def test_a_case_type_is_one_piece_of_the_address() -> None:
    (_, create) = await on_the_wire(
        Jadu, JaduBackOffice(), settings=SETTINGS, record={"case_type": "a/b c?", "title": "x"}
    )
    assert create.target == "/api/service-api/norbert/a%2Fb%20c%3F/case/create"


async def test_a_file_is_a_part_named_json_and_a_part_named_file() -> None:
    async with serving(JaduBackOffice()) as address, tapped(address.url) as tap:
        http = Http()
        jadu = Jadu(Jadu.Settings.model_validate({**SETTINGS, "url": f"{tap.url}/api/"}), http)
        receipt = await jadu.create(Jadu.operations["CreateCase"].record(case_type="x"), delivery("CreateCase"))
        await jadu.attach(photo(), receipt, delivery("CreateCase", kind=StepKind.ATTACH))
        await http.close()
    *_, attach = tap.sent()
    assert (attach.method, attach.target) == ("POST", f"/api/case/{receipt.reference}/attach")
    assert attach.headers["X-API-TOKEN"].startswith("tok-")
    boundary = attach.headers["Content-Type"].partition("multipart/form-data; boundary=")[2].encode()
    _, named, file, end = attach.body.split(b"--" + boundary)
    assert named == b'\r\nContent-Disposition: form-data; name="json"\r\n\r\n{"name": "by the gate.jpg"}\r\n'
    assert file.startswith(b'\r\nContent-Disposition: form-data; name="file"; filename="by the gate.jpg"\r\n')
    assert len(file.partition(b"\r\n\r\n")[2]) == photo().size + 2 and end == b"--\r\n"

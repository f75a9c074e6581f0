"""What a resident wrote stays where it belongs, and no form or bytes bring the door down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.open311_house import BINS, JPEG, KEY, TIPS, Site, content, refused, site
from tests.open311 import Pair, changed

MARKER = "Zyxwvut"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(f"sqlite:///{tmp_path}/hub.db") as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For tests that look at nothing but the answer."""
    with site(f"sqlite:///{tmp_path_factory.mktemp('house')}/hub.db") as made:
        yield made


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_to_a_form_is_a_5xx(shared: Site, data: st.DataObject) -> None:
    pairs = list(data.draw(st.sampled_from([BINS, TIPS])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pairs) - 1))
        name = data.draw(st.one_of(st.just(pairs[at][0]), TEXT, st.sampled_from(["attribute[", "attribute[]", "lat"])))
        pairs[at] = (name, data.draw(st.one_of(st.just(pairs[at][1]), TEXT)))
    path = data.draw(st.sampled_from(["northborough/requests.xml", "northborough/requests", "eastvale/requests.json"]))
    files = [("photo1", data.draw(TEXT), "image/jpeg", data.draw(st.binary(max_size=20)))]
    sending = shared.upload(pairs, *files, path=path) if data.draw(st.booleans()) else shared.post(pairs, path)
    assert asyncio.run(sending).status in {200, 400, 403, 404}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200), kind=st.sampled_from(["", "multipart/form-data; boundary=x", "text/plain"]))
def test_no_bytes_are_a_5xx(shared: Site, raw: bytes, kind: str) -> None:
    sending = shared.caller.post("/open311/northborough/requests.json", raw, content_type=kind)
    assert asyncio.run(sending).status in {400, 403, 413, 415}


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def marked(pairs: list[Pair]) -> list[Pair]:
    """The marker in every field but those that say where it belongs and what must be a number or date."""
    plain = ("api_key", "jurisdiction_id", "service_code", "lat", "long", "easting", "northing", "date", "url")
    return [(name, value if any(word in name for word in plain) else f"{MARKER} {value}") for name, value in pairs]


@pytest.mark.parametrize("code", ["fly-tipping", "strict"])
async def test_what_a_resident_wrote_is_in_no_log_answer_metric_or_open_column(
    here: Site, code: str, tmp_path: Path
) -> None:
    photo = ("photo1", f"{MARKER}.jpg", "image/jpeg", JPEG)
    with structlog.testing.capture_logs() as lines:
        answers = [
            await here.upload(marked(changed(TIPS, service_code=code)), photo),
            await here.post(marked(changed(TIPS, service_code=code, lat=MARKER))),
            await here.post([*marked(TIPS), (f"attribute[{MARKER}]", "x"), ("api_key", MARKER)]),
            await here.get(f"northborough/services/{MARKER}.xml?jurisdiction_id={MARKER}"),
            await here.caller.get("/metrics"),
        ]
    assert answers[0].status == 200
    told = b"".join(answer.body + repr(answer.headers).encode() for answer in answers) + repr(lines).encode()
    kept = everything_in(tmp_path)
    assert MARKER.encode() not in told and MARKER.encode() not in kept


async def test_the_key_is_kept_nowhere(here: Site, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        reference = await here.sent(BINS)
    assert "api_key" not in content(here, reference).get("extra", {}) and KEY not in repr(lines)


async def test_a_bug_is_an_incident_in_this_protocols_own_words(tmp_path: Path) -> None:
    def broken() -> None:
        raise RuntimeError(MARKER)

    with site(f"sqlite:///{tmp_path}/hub.db", councils=broken) as here, structlog.testing.capture_logs() as lines:
        answer = await here.post(TIPS)
    incident = next(line["incident"] for line in lines if line["event"] == "incident")
    assert refused(answer) == (500, "500") and incident in answer.body.decode()
    assert MARKER not in answer.body.decode() + repr(lines)

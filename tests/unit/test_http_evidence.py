"""Evidence shows what was said and heard, and never a credential."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from yarl import URL

from hub.connector import DeliveryFailure, Exchange, Http, Unavailable, http_evidence
from hub.connector.evidence import CAP, HIDDEN, Veil
from tests import peers
from tests.peers import a_delivery, answer, peer

SECRET = 'p&ss "wörd"/+<\'7>'


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(timeout=timedelta(seconds=0.5), secrets=[SECRET, "plain-api-key-0123456789"])
    yield http
    await http.close()


def everything(exchange: Exchange) -> str:
    return repr(exchange) + exchange.request.decode("utf-8", "replace") + exchange.response.decode("utf-8", "replace")


SPELLINGS = {
    "raw": SECRET,
    "xml text": escape(SECRET),
    "xml attribute": quoteattr(SECRET)[1:-1],
    "xml with all quotes": escape(SECRET, {'"': "&quot;", "'": "&apos;"}),
    "xml with numbers": escape(SECRET).encode("ascii", "xmlcharrefreplace").decode(),
    "json": json.dumps(SECRET)[1:-1],
    "json with letters": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "json as PHP writes it": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "address": quote(SECRET, safe=""),
    "address in small letters": quote(SECRET, safe="").replace("%2F", "%2f").replace("%C3%B6", "%c3%b6"),
    "address as JavaScript writes it": quote(SECRET, safe="!'()*"),
    "address as yarl writes it": str(URL("http://x/").with_query(a=SECRET))[11:],
    "form": quote_plus(SECRET),
    "json in xml": escape(json.dumps(SECRET)[1:-1]),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(SECRET.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_replaced_however_it_is_written(spelling: str) -> None:
    covered = Veil([SECRET]).cover(f"before {spelling} after".encode()).decode()
    assert spelling not in covered
    assert covered.startswith("before ") and HIDDEN in covered and "after" in covered


@pytest.mark.parametrize("user", ["", "h", "hu", "hub", "hub-user", "Siân"])
@pytest.mark.parametrize("tail", ["", "\n", ":more", "xy"])
def test_base64_of_a_text_around_the_secret_gives_none_of_it_away(user: str, tail: str) -> None:
    encoded = base64.b64encode(f"{user}:{SECRET}{tail}".encode()).decode()
    covered = Veil([SECRET]).cover(encoded.encode()).decode()
    kept = covered.replace(HIDDEN, "")
    shown = base64.b64decode(kept[: len(kept) // 4 * 4])
    assert HIDDEN in covered and SECRET.encode()[:3] not in shown


async def test_an_exchange_is_kept_as_it_was_but_for_the_secrets(http: Http) -> None:
    async with peer(answer(200, f"echo {SECRET}".encode())) as office:
        with http_evidence() as log:
            await http.write(
                a_delivery(),
                "POST",
                office.url + "/cases",
                json={"name": "Jo", "key": SECRET},
                params={"api_key": "plain-api-key-0123456789"},
                auth=("hub", SECRET),
                headers={"X-Api-Key": "something the hub does not know", "X-Trace": f"t-{SECRET}"},
            )
    (kept,) = log
    assert (kept.method, kept.url, kept.status) == ("POST", f"{office.url}/cases?api_key={HIDDEN}", 200)
    assert kept.request.decode() == f'{{"name":"Jo","key":"{HIDDEN}"}}'
    assert kept.response.decode() == f"echo {HIDDEN}"
    headers = dict(kept.request_headers)
    assert headers == {"Authorization": HIDDEN, "X-Api-Key": HIDDEN, "X-Trace": f"t-{HIDDEN}"}
    assert kept.ms > 0 and kept.failure is None


async def test_a_token_that_a_read_obtained_is_hidden_from_then_on(http: Http) -> None:
    async with peer(answer(200, b"{}")) as office:
        http.hide("tok-1")
        with http_evidence() as log:
            await http.read("GET", office.url, params={"t": "tok-1"})
    assert "tok-1" not in everything(log[0])


def test_old_tokens_are_let_go_and_secrets_never() -> None:
    veil = Veil(["the-password"])
    for n in range(100):
        veil.add(f"token-{n:04}")
    covered = veil.cover(b"the-password token-0000 token-0099").decode()
    assert covered == f"{HIDDEN} token-0000 {HIDDEN}"


async def test_a_sign_in_is_never_kept(http: Http) -> None:
    async with peer(answer(200, b'{"token": "abc"}')) as office:
        with http_evidence() as log:
            await http.read("POST", office.url, json={"password": SECRET}, secret=True)
        assert log == [] and len(office.heard) == 1


async def test_a_call_that_got_no_answer_is_kept_with_its_failure(http: Http) -> None:
    async with peer(peers.resets) as office:
        with http_evidence() as log, pytest.raises(DeliveryFailure):
            await http.write(a_delivery(), "POST", office.url, json={"name": "Jo"})
    assert (log[0].status, log[0].failure, log[0].request) == (None, "reset", b'{"name":"Jo"}')


async def test_a_refusal_is_kept_with_what_was_answered(http: Http) -> None:
    async with peer(answer(503, b"busy")) as office:
        with http_evidence() as log, pytest.raises(Unavailable):
            await http.read("GET", office.url)
    assert (log[0].status, log[0].response) == (503, b"busy")


async def test_a_call_that_was_cancelled_is_kept(http: Http) -> None:
    async with peer(peers.never_answers) as office:
        with http_evidence() as log, pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await http.write(a_delivery(), "POST", office.url, json={})
    assert (log[0].failure, log[0].status) == ("cancelled", None)


async def test_two_attempts_at_once_keep_their_own_evidence(http: Http) -> None:
    async def attempt(n: int) -> list[Exchange]:
        with http_evidence() as log:
            await http.write(a_delivery(), "POST", office.url, json={"n": n})
        return log

    async with peer(answer(200, b"{}")) as office:
        logs = await asyncio.gather(*[attempt(n) for n in range(10)])
    assert [[one.request for one in log] for log in logs] == [[f'{{"n":{n}}}'.encode()] for n in range(10)]


async def test_without_a_recorder_nothing_is_kept(http: Http) -> None:
    async with peer(answer(200, b"{}")) as office:
        with http_evidence() as log:
            pass
        await http.read("GET", office.url)
    assert log == []


@pytest.mark.parametrize("place", [0, CAP - 30, CAP - 5, CAP - 1, CAP, CAP + 5])
def test_a_long_body_is_cut_and_a_secret_on_the_cut_is_not_half_shown(place: int) -> None:
    secret = "s3cr3t-" + "k" * 20
    body = b"." * place + secret.encode() + b"." * CAP
    covered = Veil([secret]).cover(body)
    assert len(covered) <= CAP
    assert b"s3cr" not in covered and b"kkk" not in covered


def test_a_user_and_password_in_an_address_are_not_shown() -> None:
    covered = dict(Veil(["abc123"]).cover_headers({"Location": "https://hub:abc123@x.example/", "Set-Cookie": "s=1"}))
    assert covered == {"Location": f"https://hub:{HIDDEN}@x.example/", "Set-Cookie": HIDDEN}


def test_an_empty_secret_hides_nothing() -> None:
    assert Veil(["", "x"]).cover(b"abc") == b"abc"
    assert Veil().cover(b"abc") == b"abc"

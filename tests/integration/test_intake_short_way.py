"""Publishing goes past the framework's layers; whoever calls cannot tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from hub.council import Councils
from tests.asgi import Caller
from tests.integration.intake_house import KEY, House, body, house

AUTH = {"authorization": f"Bearer {KEY}"}
GOOD = json.dumps(body()).encode()
RANDOM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|01[0-9a-f]{30}"  # ids, with dashes and without
    r"|00-[0-9a-f]{32}-[0-9a-f]{16}-00|[A-Z2-9]{4}-[A-Z2-9]{4}"  # what is handed on of a trace, references
)
CASES: dict[str, tuple[bytes, dict[str, str]]] = {
    "good": (GOOD, AUTH),
    "by the other header": (GOOD, {"x-api-key": KEY}),
    "a caller's trace": (GOOD, {**AUTH, "traceparent": f"00-{'4b' * 16}-{'f0' * 8}-01"}),
    "no key": (GOOD, {}),
    "not JSON": (b"{", AUTH),
    "faults": (json.dumps(body(council="?", channel=1)).encode(), AUTH),
    "no such service": (json.dumps({**body(), "service": "tea"}).encode(), AUTH),
    "an idempotency key that cannot be used": (GOOD, {**AUTH, "idempotency-key": '""'}),
    "too large": (b"x" * 20_001, {**AUTH, "content-length": "20001"}),
    "compressed": (GOOD, {**AUTH, "content-encoding": "gzip"}),
}


def broken() -> Councils:
    raise ValueError("Blodwen Jones")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('house')}/hub.db", max_body=20_000) as made:
        yield made


async def told(here: House, raw: bytes, headers: dict[str, str], *, long: bool, hang_up: bool = False) -> Any:
    """Everything that a caller and an operator see, without what is drawn anew each time."""

    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        await FastAPI.__call__(here.app, scope, receive, send)

    app = whole if long else here.app
    with structlog.testing.capture_logs() as lines:
        answer = await Caller(app, headers).call("POST", "/v1/submissions", raw, hang_up=hang_up)
    lines = [{key: value for key, value in line.items() if key not in {"ms", "where"}} for line in lines]
    return RANDOM.sub("…", repr((answer.status, list(answer.headers.items()), answer.body, lines)))


@pytest.mark.parametrize("case", CASES)
async def test_the_short_way_answers_as_the_long_way_does(here: House, case: str) -> None:
    raw, headers = CASES[case]
    assert await told(here, raw, headers, long=False) == await told(here, raw, headers, long=True)


async def test_a_replay_is_the_same_on_either_way(here: House) -> None:
    keyed = {**AUTH, "idempotency-key": "once"}
    await told(here, GOOD, keyed, long=False)
    assert await told(here, GOOD, keyed, long=False) == await told(here, GOOD, keyed, long=True)


async def test_a_caller_who_hangs_up_leaves_the_same_line_on_either_way(here: House) -> None:
    short = await told(here, b"{", AUTH, long=False, hang_up=True)
    assert "499" in short and short == await told(here, b"{", AUTH, long=True, hang_up=True)


async def test_a_bug_is_the_same_incident_on_either_way(tmp_path: Path) -> None:
    with house(f"sqlite:///{tmp_path}/hub.db", councils=broken) as alone:
        short = await told(alone, GOOD, AUTH, long=False)
        assert "incident" in short and "Blodwen" not in short
        assert short == await told(alone, GOOD, AUTH, long=True)

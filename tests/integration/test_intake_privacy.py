"""Nothing that a resident wrote leaves by a side door, and nothing that anybody sends breaks the front one."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.standard import SERVICES
from tests.integration.intake_house import House, body, house, publish

MARKER = "Zzyzx"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('house')}/hub.db") as made:
        yield made


def marked(tree: Any) -> Any:
    """The same tree with the marker in every text."""
    match tree:
        case dict():
            return {key: marked(value) for key, value in tree.items()}
        case list():
            return [marked(value) for value in tree]
        case str():
            return f"{MARKER} {tree}"
        case _:
            return tree


@pytest.mark.parametrize("service", sorted(SERVICES))
async def test_no_fault_quotes_what_was_sent(here: House, service: str) -> None:
    names = {name: body(service)[name] for name in ("council", "service", "version")}
    with structlog.testing.capture_logs() as lines:
        answer = await here.caller().post("/v1/submissions", {**marked(body(service)), **names})
    assert MARKER not in answer.body.decode() + repr(answer.headers) + repr(lines)


async def test_what_is_taken_stands_in_no_answer_log_line_or_metric(here: House) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await publish(
            here.caller(), description=MARKER, contact={"full_name": MARKER, "email": "z@example.org"}
        )
        status = await here.caller().get(f"/v1/submissions/{answer.json()['id']}?name={MARKER}")
        metrics = await here.caller().get("/metrics")
    seen = [answer.body, status.body, metrics.body, repr(answer.headers).encode(), repr(lines).encode()]
    assert answer.status == 202 and not [one for one in seen if MARKER.encode() in one]


def test_the_marker_would_be_found_where_it_is_stored_openly(tmp_path: Path) -> None:
    """The test of the tests above: what is not personal is readable in the file, what is personal is not."""
    with house(f"sqlite:///{tmp_path}/hub.db") as alone:
        asyncio.run(publish(alone.caller(), description=MARKER, front_end_reference="open-reference"))
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"open-reference" in kept and MARKER.encode() not in kept


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def paths(tree: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        yield from paths(value, (*here, key))


def put(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(tree)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_to_a_body_is_a_5xx(here: House, data: st.DataObject) -> None:
    good = body(data.draw(st.sampled_from(["missed-bin", "complaint"])))
    changed = put(good, data.draw(st.sampled_from(list(paths(good)))), data.draw(JSON))
    answer = asyncio.run(here.caller().post("/v1/submissions", changed))
    assert answer.status in {202, 400, 404, 422}, answer.body


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200))
def test_no_bytes_are_a_5xx(here: House, raw: bytes) -> None:
    assert asyncio.run(here.caller().post("/v1/submissions", raw)).status in {400, 422}

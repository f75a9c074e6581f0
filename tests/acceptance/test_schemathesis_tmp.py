"""Schemathesis over the whole document, as a front end and as staff: what is described is so, and nothing is a 5xx.

Each run takes HUB_TEST_SCHEMATHESIS seconds, 60 where it is not set: the first two phases once, and fuzzing until
they are over. `HUB_TEST_SCHEMATHESIS=900 make test ARGS=tests/acceptance/test_schemathesis.py` is the long form.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.towns import Town
from tests.wide import things, wide_town

SECONDS = int(os.environ.get("HUB_TEST_SCHEMATHESIS", "60"))
SEED = 3

pytestmark = pytest.mark.timeout(SECONDS * 3 + 240)

#: Schemathesis's own list, and 422: that an id, a cursor or a file is of the right form does not say that it is there.
VALID = ["2xx", "3xx", 401, 403, 404, 409, 422, 429]
#: Said of every address, so that it leads somewhere; the fuzz of test_fuzz.py is for those that lead nowhere.
FIXED = {"path.council": "northborough", "path.profile": "complaint", "query.jurisdiction_id": "northborough"}
#: Drawn now and then, in fuzzing: addresses, the field, and what it is drawn from.
DRAWN = (
    (r"^/v1/services/", "path.code", "service"),
    (r"^/v1/councils/", "path.name", "council"),
    (r"^/v1/received/", "path.id", "received"),
    (r"^/v1/deliveries/", "path.delivery", "delivery"),
    (r"^/v1/operations/", "path.operation", "operation"),
    (r"^/v1/submissions/", "path.submission", "submission"),
    (r"^/open311/.*/requests", "body.service_code", "service"),
)
NAMED = (
    (r"^/v1/destinations/", "path.name", "destination"),
    (r"^/open311/.*/services/", "path.name", "reported"),
    (r"^/open311/.*/(requests|tokens)/", "path.name", "report"),
    (r"^/open311/.*/requests[.]", "query.service_request_id", "report"),
)


@pytest.fixture
def wide(tmp_path: Path) -> Iterator[Town]:
    with wide_town(tmp_path) as made:
        yield made


def configured(town: Town, there: Mapping[str, list[str]]) -> str:
    """The keys by the schemes of the document, and what there is to name. JSON's texts and lists are TOML's too."""
    schemes = {
        "front_end_key": {"bearer": town.key},
        "front_end_key_header": {"api_key": town.key},
        "open311_api_key": {"api_key": town.key},
        "user_token": {"bearer": town.token},
    }
    lines = ["[cache]", "enabled = false", "[checks.positive_data_acceptance]", f"expected-statuses = {VALID!r}"]
    for scheme, secret in schemes.items():
        lines += [f"[auth.openapi.{scheme}]", *(f"{how} = {json.dumps(what)}" for how, what in secret.items())]
    for name, values in there.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines += ["[parameters]", *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in FIXED.items())]
    for addresses, field, name in DRAWN:
        binding = f'{{ dictionary = "{name}", probability = 0.8 }}'
        lines += _operations(addresses, field, binding)
    for addresses, field, name in NAMED:
        lines += _operations(addresses, field, json.dumps(there[name][0]))
    return "\n".join(lines)


def _operations(addresses: str, field: str, value: str) -> list[str]:
    return [
        "[[operations]]",
        f"include-path-regex = {json.dumps(addresses)}",
        "[operations.parameters]",
        f"{json.dumps(field)} = {value}",
    ]


def test_whatever_the_document_allows_or_forbids_is_answered_as_it_says(wide: Town, tmp_path: Path) -> None:
    there = things(wide) | {"reported": ["missed-bin"]}
    config = tmp_path / "schemathesis.toml"
    config.write_text(configured(wide, there))
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config),
        "run", wide.url + "/openapi.json", "--phases", "examples,coverage,fuzzing", "--checks", "all",
        "--seed", str(SEED), "--max-time", str(SECONDS), "--continue-on-failure", "--no-color", "--no-shrink",
        "--request-timeout", "10", "--generation-database", "none",
    ]  # fmt: skip
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=SECONDS * 3 + 120)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"Tested: +([0-9]+)", run.stdout), run.stdout
    assert wide.ask("GET", "/health/ready")[0] == 200

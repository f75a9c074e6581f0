"""A pretend back office in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from hub.connector.testing import spawn

SCRIPTABLE = "hub.connector.testing.scriptable_simulator:app"


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


async def test_it_answers_is_told_how_to_behave_and_ends_with_the_block() -> None:
    async with spawn(SCRIPTABLE) as running:
        running.behave("unavailable", times=1)
        with pytest.raises(ValueError, match="mode must be one of"):
            running.behave("sleepy")
        assert running.options(idempotent=False)["idempotent"] is False
        assert running.ledger() == []
        running.reset()
    assert running.process.poll() is not None


def test_one_json_line_says_that_it_is_ready_and_sigterm_ends_it() -> None:
    command = [sys.executable, "-m", "hub.connector.testing.serve", SCRIPTABLE, "--control-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "control"}
        with urllib.request.urlopen(ready["control"] + "/_ledger", timeout=5) as answer:
            assert json.load(answer) == {"items": []}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


def test_it_ends_when_its_parent_is_killed() -> None:
    script = (
        "import time; from hub.connector.testing import spawn; "
        f"running = spawn({SCRIPTABLE!r}); print(running.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert _gone(child)


def test_a_simulator_that_does_not_start_says_so() -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        spawn("no.such.module:app", errors=subprocess.DEVNULL)


def test_the_kit_is_imported_without_pytest() -> None:
    script = "import hub.connector.testing, hub.connector.testing.conformance, sys; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

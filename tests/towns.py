"""A whole hub for tests: real processes, real back offices with ledgers, one council."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.connector.testing import Running, spawn

ROOT = Path(__file__).parent.parent
OFFICES = {
    "waste": "connectors.whitespace.simulator:app",
    "crm": "connectors.jadu.simulator:app",
    "foi": "connectors.infreemation.simulator:app",
    "register": "hub.connector.testing.scriptable_simulator:app",
}
COUNCIL = """\
council: Northborough Borough Council
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
  waste:
    connector: whitespace
    settings: {url: "env:TOWN_WASTE", username: hub, password: "env:TOWN_PASSWORD"}
    limits: {concurrency: 32, timeout: 3s}
    retry: [1s, 1s, 1s, 1s, 1s]
  crm:
    connector: jadu
    settings: {url: "env:TOWN_CRM", api_key: "env:TOWN_PASSWORD", username: hub, password: "env:TOWN_PASSWORD"}
    limits: {concurrency: 8, timeout: 3s}
    retry: [1s, 1s, 1s, 1s, 1s]
  foi:
    connector: infreemation
    settings: {url: "env:TOWN_FOI", username: hub, key: "env:TOWN_PASSWORD"}
    limits: {concurrency: 8, timeout: 3s}
    retry: [1s, 1s, 1s, 1s, 1s]
  register:
    connector: scriptable
    settings: {url: "env:TOWN_REGISTER"}
    limits: {concurrency: 32, timeout: 3s}
    retry: [1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s]
routes:
  - service: missed-bin
    to: waste
    when: "{{ channel != 'api' }}"
    mapping: whitespace/missed-bin
    with: {service_ids: {refuse: 81, mixed_recycling: 82, food: 85}}
  - {service: missed-bin, to: register, when: "{{ channel == 'api' }}", mapping: register.yaml}
  - {service: complaint, to: crm, mapping: jadu/complaint, with: {case_type: complaint}}
  - {service: foi-request, to: foi, mapping: infreemation/foi-request}
"""
REGISTER = """\
service: missed-bin
connector: scriptable
create:
  operation: CreateCase
  record:
    title: "Missed bin for {{ hub.reference }}"
    uprn: "{{ property.uprn | default(omit) }}"
"""


@dataclass(slots=True, kw_only=True)
class Process:
    """One `hub run`."""

    role: str
    popen: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()
        self._close()

    def stop(self) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close()

    def _close(self) -> None:
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                pipe.close()


@dataclass(slots=True, kw_only=True)
class Town:
    """A hub under test, in one process or several, and the councils' systems that it speaks to."""

    folder: Path
    environment: dict[str, str]
    offices: dict[str, Running]
    roles: tuple[str, ...]
    url: str = ""
    key: str = ""
    token: str = ""
    processes: list[Process] = field(default_factory=list)

    @property
    def council_file(self) -> Path:
        return self.folder / "mappings" / "northborough" / "council.yaml"

    def hub(self, *arguments: str, check: bool = True) -> Any:
        """Run a `hub` command; its JSON if it printed any."""
        command = [sys.executable, "-m", "hub.cli", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(arguments)}: {done.returncode} {done.stdout[-2000:]} {done.stderr[-2000:]}"
            )
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout + done.stderr

    def start(self, role: str) -> Process:
        log = self.folder / f"{role}-{len(self.processes)}.log"
        port = [] if role == "worker" else ["--port", "0"]
        command = [sys.executable, "-m", "hub.cli", "run", "--role", role, *port, "--json", "--until-eof"]
        with log.open("wb") as errors:
            popen = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        process = Process(role=role, popen=popen, log=log)
        self.processes.append(process)
        address = _first_line(process)
        if "hub" in address:
            self.url = address["hub"]
        return process

    def restart(self, process: Process) -> Process:
        self.processes.remove(process)
        return self.start(process.role)

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Speak to the hub: status and JSON."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data=raw, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as failure:
            with failure:
                return failure.code, json.loads(failure.read() or b"null")

    def text(self, path: str) -> str:
        """What an address answers, as text."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def ops(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return self.ask(method, path, body, key=self.token)

    def publish(self, body: dict[str, Any], **headers: str) -> str:
        """Publish a submission; its reference."""
        status, answer = self.ask("POST", "/v1/submissions", body, headers=headers)
        assert status == 202, (status, answer)
        return str(answer["reference"])

    def status(self, reference: str) -> dict[str, Any]:
        status, answer = self.ask("GET", f"/v1/submissions/{reference}")
        assert status == 200, (status, answer)
        return dict(answer)

    def until(self, reference: str, wanted: Callable[[dict[str, Any]], bool], *, seconds: float = 20) -> dict[str, Any]:
        """Wait until a submission is as wanted."""
        end = time.monotonic() + seconds
        while not wanted(told := self.status(reference)):
            assert time.monotonic() < end, f"after {seconds} s: {told}"
            time.sleep(0.05)
        return told


def _first_line(process: Process) -> dict[str, str]:
    """What `hub run --json` says once it is ready."""
    assert process.popen.stdout is not None
    ready, _, _ = select.select([process.popen.stdout], [], [], 30)
    line = process.popen.stdout.readline() if ready else b""
    if not line:
        raise AssertionError(f"the hub did not come up: {process.log.read_text()[-3000:]}")
    address: dict[str, str] = json.loads(line)
    return address


def spread(folder: Path) -> Path:
    """The council files of the town, in a folder that a test may change."""
    council = folder / "mappings" / "northborough"
    council.mkdir(parents=True)
    (council / "council.yaml").write_text(COUNCIL)
    (council / "register.yaml").write_text(REGISTER)
    return folder / "mappings"


@contextmanager
def town(
    folder: Path, *, database_url: str, broker_url: str, roles: tuple[str, ...], settings: dict[str, str] | None = None
) -> Iterator[Town]:
    """Everything up, and down again whatever happens."""
    with ExitStack() as stack:
        offices = {name: stack.enter_context(spawn(target)) for name, target in OFFICES.items()}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HUB_")},
            "PYTHONPATH": str(ROOT),
            "HUB_DATABASE_URL": database_url,
            "HUB_BROKER_URL": broker_url,
            "HUB_MAPPINGS": str(spread(folder)),
            "HUB_BLOBS": str(folder / "blobs"),
            "HUB_ENCRYPTION_KEYS": "town:" + base64.b64encode(b"e" * 32).decode(),
            "HUB_HASH_KEY": base64.b64encode(b"h" * 32).decode(),
            "HUB_LEASE_MARGIN": "3s",
            "HUB_LOG_FORMAT": "json",
            "TOWN_PASSWORD": "correct-horse-battery",
            **{f"TOWN_{name.upper()}": office.url for name, office in offices.items()},
            **(settings or {}),
        }
        made = Town(folder=folder, environment=environment, offices=offices, roles=roles)
        made.hub("db", "upgrade")
        made.key = made.hub("front-ends", "add", "tests", "--councils", "*", "--services", "*", "--json")["key"]
        made.token = made.hub("users", "add", "tester", "--role", "admin", "--json")["token"]
        try:
            for role in roles:
                made.start(role)
            yield made
        finally:
            for process in made.processes:
                process.stop()

"""The set-up that is measured: one hub in one process, back offices in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.connector.testing import Running, spawn

KEY = "bench-front-end-key-0123456789"
COUNCIL = """\
council: Benchton
slug: benchton
gss: E07000998
calendar: england-and-wales
destinations:
  rest:
    connector: scriptable
    settings: {url: "env:BENCH_REST_URL"}
    limits: {concurrency: 96, timeout: 30s}
  soap:
    connector: whitespace
    settings: {url: "env:BENCH_SOAP_URL", username: hub, password: "env:BENCH_SOAP_PASSWORD"}
    limits: {concurrency: 96, timeout: 30s}
routes:
  - {service: complaint, to: rest, mapping: rest.yaml}
  - service: missed-bin
    to: soap
    mapping: whitespace/missed-bin
    with: {service_ids: {refuse: 81, recycling: 82, food: 83}}
"""
REST = """\
service: complaint
connector: scriptable
create:
  operation: CreateCase
  record:
    our_reference: "{{ hub.our_reference }}"
    reference: "{{ hub.reference }}"
    council: "{{ hub.council }}"
    received: "{{ hub.received_at | datetime }}"
    channel: "{{ channel }}"
    language: "{{ language }}"
    first_name: "{{ contact | first_name }}"
    last_name: "{{ contact | last_name }}"
    email: "{{ contact.email | default(omit) }}"
    phone: "{{ contact.phone | default(omit) }}"
    kind: "{{ details.kind }}"
    area: "{{ details.service_area }}"
    text: "{{ details.what_happened | shorten(2000) }}"
    wanted: "{{ details.desired_outcome | default(omit) }}"
    on: "{{ details.happened_on | date if details.happened_on is defined else omit }}"
    before: "{{ details.previous_reference | default(omit) }}"
    uprn: "{{ property.uprn | default(omit) }}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A running hub and what is needed to press it."""

    port: int
    process: subprocess.Popen[bytes]
    rest: Running
    soap: Running

    @property
    def cpu(self) -> float:
        """Seconds of processor that the hub has used, all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def rss(self) -> int:
        """Bytes of memory that the hub holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def delivered(self) -> int:
        """How many the hub says it has delivered, from its metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        found = [line for line in lines if line.startswith("hub_deliveries_total") and 'outcome="delivered"' in line]
        return int(sum(float(line.rpartition(" ")[2]) for line in found))


@contextmanager
def rig(folder: Path, *, settings: dict[str, str] | None = None) -> Iterator[Rig]:
    """Everything up, in `folder`, and down again whatever happens."""
    _write_files(folder)
    with (
        spawn("hub.connector.testing.scriptable_simulator:app") as rest,
        spawn("connectors.whitespace.simulator:app") as soap,
    ):
        environment = {
            **os.environ,
            "HUB_DATABASE_URL": f"sqlite:///{folder / 'hub.db'}",
            "HUB_MAPPINGS": str(folder / "mappings"),
            "HUB_RATE": "1000000",
            "HUB_LOG_FORMAT": "json",
            "BENCH_REST_URL": rest.url,
            "BENCH_SOAP_URL": soap.url,
            "BENCH_SOAP_PASSWORD": "password",
            **(settings or {}),
        }
        _hub(["front-ends", "add", "bench", "--councils", "*", "--services", "*", "--key", KEY], environment)
        with _listening(environment, folder / "hub.log", ["hub.cli", "run", "--port"]) as (port, process):
            yield Rig(port=port, process=process, rest=rest, soap=soap)


def _write_files(folder: Path) -> None:
    council = folder / "mappings" / "benchton"
    council.mkdir(parents=True)
    (council / "council.yaml").write_text(COUNCIL)
    (council / "rest.yaml").write_text(REST)


def _hub(arguments: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "hub.cli", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def yardstick(folder: Path) -> Iterator[Rig]:
    """The bare skeleton in the hub's place, before the same REST back office."""
    with spawn("hub.connector.testing.scriptable_simulator:app") as rest:
        environment = {**os.environ, "SKELETON_DB": str(folder / "bare.db"), "SKELETON_TO": f"{rest.url}/cases"}
        with _listening(environment, folder / "bare.log", ["tests.bench.skeleton"]) as (port, process):
            yield Rig(port=port, process=process, rest=rest, soap=rest)


@contextmanager
def _listening(
    environment: dict[str, str], log: Path, module: list[str]
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with log.open("wb") as output:
        command = [sys.executable, "-m", *module, str(port)]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            _wait_ready(port, process, log)
            yield port, process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"the hub ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the hub is not ready after 30 s")


def complaint(number: int) -> bytes:
    """A body of about 1.5 KB for the REST destination."""
    return _body(
        {
            "council": "benchton", "service": "complaint", "version": 1, "front_end_reference": f"B-{number}",
            "contact": {"full_name": "Blodwen Jones", "email": "blodwen@example.com", "phone": "01632 960001"},
            "property": {"uprn": "100090215480"},
            "details": {
                "kind": "complaint", "service_area": "Street cleaning", "happened_on": "2026-11-02",
                "what_happened": "The lane behind the terrace has not been swept for a month. " * 16,
                "desired_outcome": "Sweep it, and tell us which day it is swept.", "previous_reference": "C-1234",
            },
        }
    )  # fmt: skip


def missed_bin(number: int) -> bytes:
    """A body of about 1.5 KB for the SOAP destination: one container, one worksheet."""
    return _body(
        {
            "council": "benchton", "service": "missed-bin", "version": 1, "front_end_reference": f"B-{number}",
            "contact": {"full_name": "Blodwen Jones", "email": "blodwen@example.com", "phone": "01632 960001"},
            "property": {"uprn": "100090215480", "address": {"lines": ["1 Acacia Avenue"], "postcode": "AB1 2CD"}},
            "description": "The crew went by and left it; the lid was closed and it was out in time. " * 12,
            "details": {"containers": [{"waste_type": "refuse", "quantity": 1}], "location_of_containers": "Kerb"},
        }
    )  # fmt: skip


def _body(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode()


def request(body: bytes) -> bytes:
    head = (
        f"POST /v1/submissions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body

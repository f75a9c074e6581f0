"""Holds the wires: servers that seem to stop, restart or fall silent, without a hand on a shared server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hub.errors import HubError


class RigFailed(HubError):
    """The rehearsal could not be set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One wire, as a scenario pulls at it."""

    name: str
    port: int
    network: Network

    def stop(self) -> None:
        """Refuse what comes, cut what is there."""
        self.network.tell(self.name, "stop")

    def start(self) -> None:
        self.network.tell(self.name, "start")

    def cut(self) -> None:
        """Reset every connection; new ones are taken."""
        self.network.tell(self.name, "cut")

    def freeze(self) -> None:
        """Leave every connection half open, without a word to either end; new ones are well."""
        self.network.tell(self.name, "freeze")

    @property
    def taken(self) -> int:
        """How many connections came so far."""
        return int(self.network.tell(self.name, "count")["taken"])


class Network:
    """The process that holds the wires."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, name: str, verb: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name} {verb}\n")
        self._process.stdin.flush()
        return self.heard()

    def heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RigFailed("The wires to the servers have ended; run it again.")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def wires(upstreams: Mapping[str, tuple[str, int]]) -> Iterator[dict[str, Line]]:
    """A wire before each server. They end with the block, and with this process however it dies."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hub.gameday.wire", json.dumps(dict(upstreams))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us: we end the others in order
    )
    try:
        network = Network(process)
        ports = network.heard()
        yield {name: Line(name=name, port=ports[name], network=network) for name in upstreams}
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

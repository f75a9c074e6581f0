"""The hub's own processes, to be started, frozen, killed and replaced."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hub.gameday.network import RigFailed

READY_WITHIN = timedelta(seconds=60)
FAREWELL = timedelta(seconds=30)

INTAKE = "intake"
WORKER = "worker"
ALL = "all"


@dataclass(slots=True, kw_only=True)
class Process:
    """One `hub run`."""

    name: str  #: intake, worker-1, worker-2, or all
    role: str
    popen: subprocess.Popen[bytes]
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        return self.role in (WORKER, ALL)

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def freeze(self) -> None:
        """Stop it where it stands; what it holds stays as it is."""
        if self.alive:
            os.kill(self.popen.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.alive:
            os.kill(self.popen.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: nothing is said, nothing is written."""
        self.popen.kill()
        self.popen.wait()
        self._close()

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        if self.alive:
            self.popen.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """SIGTERM, and wait until it has left; SIGKILL for one that does not."""
        self.thaw()
        self.ask_to_stop()
        try:
            self.popen.wait(timeout=FAREWELL.total_seconds())
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self._close()

    def died_within(self, wait: timedelta) -> bool:
        """Wait for it to die by itself."""
        until = time.monotonic() + wait.total_seconds()
        while self.alive and time.monotonic() < until:
            time.sleep(0.002)
        return not self.alive

    def _close(self) -> None:
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                pipe.close()


@dataclass(slots=True, kw_only=True)
class Processes:
    """All of them, by name. Every one ends when this process does, however it dies."""

    environment: Mapping[str, str]
    folder: Path
    port: int  #: of the front doors: the same for whoever has the doors
    by_name: dict[str, Process] = field(default_factory=dict)

    @property
    def workers(self) -> list[Process]:
        return [process for process in self.by_name.values() if process.works]

    def start(self, name: str, *, extra: Mapping[str, str] | None = None, wait: bool = True) -> Process:
        """Start it, under the name of one that is gone. Raises RigFailed when it does not come up."""
        if name in self.by_name:
            self.by_name[name].kill()
        role = name.partition("-")[0]
        doors = [] if role == WORKER else ["--port", str(self.port)]
        with (self.folder / f"{name}.log").open("ab") as words:
            popen = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", "run", "--role", role, *doors, "--json", "--until-eof"],
                env={**self.environment, **(extra or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                start_new_session=True,  # Ctrl-C is for us: we end the others in order
            )
        process = Process(name=name, role=role, popen=popen, extra=extra or {})
        self.by_name[name] = process
        if wait:
            self.ready(process)
        return process

    def ready(self, process: Process) -> None:
        """Wait until it says where it listens."""
        assert process.popen.stdout is not None
        heard, _, _ = select.select([process.popen.stdout], [], [], READY_WITHIN.total_seconds())
        line = process.popen.stdout.readline() if heard else b""
        if not line:
            process.kill()
            raise RigFailed(f"{process.name} did not start; {self.folder / process.name}.log says why.")
        json.loads(line)

    def whole(self, names: tuple[str, ...], *, spare: str = "") -> None:
        """All of these run as they should: what is dead is started, what was set up oddly is replaced.

        `spare` may stay as odd as it is.
        """
        odd = [
            each
            for each in names
            if each != spare and (known := self.by_name.get(each)) and known.alive and known.extra
        ]
        for name in odd:
            self.by_name[name].stop()
        for process in self.by_name.values():
            process.thaw()
        starting = [
            self.start(name, wait=False) for name in names if name not in self.by_name or not self.by_name[name].alive
        ]
        for process in starting:
            self.ready(process)

    def stop(self) -> None:
        for process in self.by_name.values():
            process.thaw()
            process.ask_to_stop()
        for process in self.by_name.values():
            process.stop()

"""The rig: a hub in real processes, its servers behind wires, its back offices with ledgers."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sqlalchemy import Connection

from hub.assembly import open_core
from hub.connector.testing import Running
from hub.folders import folder_of_our_own
from hub.gameday import servers
from hub.gameday.council import EVERYWHERE, Place, write_files
from hub.gameday.network import RigFailed
from hub.gameday.offices import Office, our_own
from hub.gameday.processes import ALL, INTAKE, Processes
from hub.gameday.servers import Servers
from hub.model import Role
from hub.settings import Settings, child_environment
from hub.store import credentials

SPREAD = (INTAKE, "worker-1", "worker-2")
ONE = (ALL,)
MARGIN = timedelta(seconds=3)  #: HUB_LEASE_MARGIN
_PLAIN_OPTIONS = {"late": 0.0}


@dataclass(slots=True, kw_only=True)
class Rig:
    """Everything that runs, and the levers on it."""

    folder: Path
    servers: Servers
    offices: Mapping[str, Office]
    places: Mapping[str, Place]  #: by id
    processes: Processes
    environment: Mapping[str, str]
    key: str
    token: str
    late: set[str] = field(default_factory=set)  #: offices whose options were changed
    held: set[Running] = field(default_factory=set)  #: offices that stand still

    @property
    def names(self) -> tuple[str, ...]:
        return ONE if self.servers.embedded else SPREAD

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.processes.port}"

    def calm(self) -> None:
        """Every fault is over: servers reachable, back offices well, all processes up as they should be."""
        self.release()
        for line in (self.servers.database, self.servers.broker):
            if line is not None:
                line.start()
        for name, office in self.offices.items():
            office.behave("ok")
            if name in self.late:
                office.options(**_PLAIN_OPTIONS)
        self.late.clear()
        self.processes.whole(self.names)

    def forget(self) -> None:
        """Empty every ledger."""
        for office in self.offices.values():
            office.forget()

    def behave(
        self, places: Iterable[Place], mode: str, *, times: int | None = None, seconds: float | None = None
    ) -> None:
        """Set the mode of the offices behind these places; `times` is for each place."""
        sharing: dict[str, int] = {}
        for place in places:
            sharing[place.office] = sharing.get(place.office, 0) + 1
        for name, many in sharing.items():
            self.offices[name].behave(mode, times=None if times is None else times * many, seconds=seconds)

    def be_late(self, places: Iterable[Place], seconds: float) -> None:
        """What is committed is seen by a look only after so long."""
        for name in {place.office for place in places}:
            self.late.add(name)
            self.offices[name].options(late=seconds)

    def hold(self, places: Iterable[Place]) -> bool:
        """Let the offices behind these places stand still: they take calls and do nothing. False where we cannot."""
        offices = {self.offices[place.office] for place in places}
        ours = {office for office in offices if isinstance(office, Running)}
        if len(ours) < len(offices):
            return False
        for office in ours:
            os.kill(office.process.pid, signal.SIGSTOP)
        self.held |= ours
        return True

    def release(self) -> None:
        for office in self.held:
            os.kill(office.process.pid, signal.SIGCONT)
        self.held.clear()

    def ledgers(self) -> dict[str, list[dict[str, Any]]]:
        return {name: office.ledger() for name, office in self.offices.items()}

    def command(self, *arguments: str) -> str:
        """Run `hub …` on this hub's store. Blocks; raises RigFailed when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", *arguments],
            env=dict(self.environment), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RigFailed(f"`hub {' '.join(arguments)}` failed: {done.stderr.strip()[-500:]}")
        return done.stdout

    def ask(self, method: str, path: str, body: object | None = None) -> Any:
        """Ask the hub as staff would. Raises RigFailed for any answer that is not a yes."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as refused:
            with refused:
                said = refused.read(500).decode("utf-8", "replace")
            raise RigFailed(f"The hub answers {method} {path} with {refused.code}: {said}") from None


@contextmanager
def set_up(
    *, embedded: bool, places: Iterable[Place] = EVERYWHERE, others: Mapping[str, Office] | None = None
) -> Iterator[Rig]:
    """A hub that runs, with nothing in it. Everything ends with the block, and with this process however it dies.

    `others` are offices that are not ours to start.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of_our_own("gameday"))
        wanted = list(places)
        found = stack.enter_context(servers.embedded(folder) if embedded else servers.real())
        given = dict(others or {})
        ours = stack.enter_context(our_own([place for place in wanted if place.office not in given], folder))
        yield stack.enter_context(_hub(folder, found, given | ours, wanted))


@contextmanager
def _hub(folder: Path, found: Servers, offices: Mapping[str, Office], places: list[Place]) -> Iterator[Rig]:
    environment = _environment(folder, found, offices, places)
    key, token = _make_keys(environment)
    processes = Processes(environment=environment, folder=folder, port=_free_port())
    rig = Rig(
        folder=folder, servers=found, offices=offices, places={place.id: place for place in places},
        processes=processes, environment=environment, key=key, token=token,
    )  # fmt: skip
    try:
        processes.whole(rig.names)
        yield rig
    finally:
        processes.stop()


def _environment(
    folder: Path, found: Servers, offices: Mapping[str, Office], places: Iterable[Place]
) -> dict[str, str]:
    return child_environment(
        {
            "HUB_DATABASE_URL": found.database_url,
            "HUB_BROKER_URL": found.broker_url,
            "HUB_MAPPINGS": str(write_files(folder, places)),
            "HUB_ENCRYPTION_KEYS": f"gameday:{base64.b64encode(os.urandom(32)).decode()}",
            "HUB_HASH_KEY": base64.b64encode(os.urandom(32)).decode(),
            "HUB_LEASE_MARGIN": f"{MARGIN.total_seconds()}s",
            "HUB_LOG_FORMAT": "json",
            "HUB_RATE": "100000",
            **{place.variable: offices[place.office].url for place in places},
        }
    )


def _make_keys(environment: Mapping[str, str]) -> tuple[str, str]:
    """A front end's key and an admin's token, put into a store with a fresh schema."""
    with open_core(Settings.read(environment), upgrade=True) as core:

        def work(connection: Connection) -> tuple[str, str]:
            front_end = credentials.add_front_end(
                connection, core.store.hasher, name="gameday", councils=None, services=None, by="gameday"
            )
            admin = credentials.add_user(
                connection, core.store.hasher, name="gameday", role=Role.ADMIN, councils=None, by="gameday"
            )
            return front_end.secret, admin.secret

        return core.store.transact_now(work)


def _free_port() -> int:
    """One that nobody has now; a hub that is started again listens at the same."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The demo's stage: its own folder, pretend back offices, and a hub with keys; all of it ends with the narrator."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection

from hub.assembly import open_core
from hub.connector import Connector
from hub.connector.testing import Running, spawn
from hub.councils import load, read_tree
from hub.demo.bodies import FRONT_ENDS
from hub.errors import HubError
from hub.folders import folder_of_our_own
from hub.model import Role
from hub.registry import Registry
from hub.settings import Settings, child_environment
from hub.store import credentials

_OWN = Path(__file__).parent / "councils"
#: Councils that are there for everybody to read: beside the code in a checkout, with it in a wheel.
_SHARED = Path(__file__).parents[2] / "mappings"
_NEIGHBOURS = ("eastvale", "westmere", "two-rivers")
_READY_WITHIN = timedelta(seconds=60)
_PASSWORD = "only-for-the-demo"
_SIGNING = "whsec_Y29uZm9ybWFuY2Utc2VjcmV0LW9mLXRoZS1odWI="  #: which the pretend receiver knows

FORGOTTEN = "        # The garden round is new this spring, and nobody has told this table: the demo mends it.\n"
MENDED = "        garden: 86\n"


class DemoFailed(HubError):
    """The demo could not be set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A pretend back office, and whose destination it stands behind."""

    connector: str
    destination: str  #: "council/name"
    running: Running
    files: Mapping[str, str] = field(default_factory=dict)  #: what else its settings name, by the reference's last part

    def as_dict(self) -> dict[str, str]:
        council, _, name = self.destination.partition("/")
        return {
            "connector": self.connector,
            "council": council,
            "destination": name,
            "url": self.running.url,
            "control": self.running.control,
        }


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything that runs, and how to reach it."""

    folder: Path
    environment: Mapping[str, str]  #: what a `hub` command needs to work on this hub
    simulators: Mapping[str, Simulator]  #: by destination
    keys: Mapping[str, str] = field(default_factory=dict)
    user_token: str = ""
    hub: str = ""

    @property
    def council_file(self) -> Path:
        return self.folder / "mappings" / "northborough" / "council.yaml"

    def mend_the_mapping(self) -> None:
        """Add the row that the table forgot, as a person with an editor would."""
        text = self.council_file.read_text(encoding="utf-8")
        self.council_file.write_text(text.replace(FORGOTTEN, MENDED), encoding="utf-8")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `hub …` on this stage. Blocks; returns whatever it said."""
        return subprocess.run(
            [sys.executable, "-m", "hub.cli", *arguments],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextlib.contextmanager
def set_up(*, port: int = 0, mended: bool = False) -> Iterator[Stage]:
    """A hub that answers, with empty ledgers behind it. Raises DemoFailed. Everything ends with the block, and with
    this process however it dies."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(folder_of_our_own("demo"))
        _copy_councils(folder / "mappings")
        simulators = _simulators(folder, stack)
        stage = Stage(folder=folder, simulators=simulators, environment=_environment(folder, simulators))
        if mended:
            stage.mend_the_mapping()
        _make_keys(stage)
        stage.hub = stack.enter_context(_hub(stage, port))
        yield stage


def _simulators(folder: Path, stack: contextlib.ExitStack) -> dict[str, Simulator]:
    """One back office for each destination of the council files, in processes of their own, started together."""
    registry = Registry.discover()
    draft = load(read_tree(folder / "mappings"), registry=registry, secrets=None).draft
    wanted = {each.id: each.connector for each in draft.destinations()}
    if not wanted:
        raise DemoFailed("The demo's council files name no destination; reinstall the package.")
    words = stack.enter_context((folder / "simulators.log").open("w"))

    def start(destination: str) -> Simulator:
        connector = wanted[destination]
        running = spawn(registry.get(connector).simulator, errors=words)
        return Simulator(
            connector=connector, destination=destination, running=running, files=_files_of(registry.get(connector))
        )  # fmt: skip

    found = {}
    with ThreadPoolExecutor(len(wanted)) as threads:
        for simulator in threads.map(start, wanted):
            stack.callback(simulator.running.stop)
            found[simulator.destination] = simulator
    return found


def _files_of(connector: type[Connector]) -> dict[str, str]:
    """Files that a connector's example of settings names: a WSDL of the system that its simulator pretends to be."""
    extra = connector.Settings.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    first = examples[0] if isinstance(examples, list) and examples and isinstance(examples[0], dict) else {}
    return {name.upper(): value for name, value in first.items() if isinstance(value, str) and Path(value).is_file()}


def _environment(folder: Path, simulators: Mapping[str, Simulator]) -> dict[str, str]:
    """The settings of the hub on this stage: the embedded default, whatever this machine has set."""
    ours = {
        "HUB_DATABASE_URL": f"sqlite:///{folder / 'hub.db'}",
        "HUB_BROKER_URL": "memory://",
        "HUB_MAPPINGS": str(folder / "mappings"),
        "HUB_LOG_FORMAT": "json",
        "HUB_TICK": "0.2s",
    }
    for destination, simulator in simulators.items():
        stem = destination.upper().replace("/", "_").replace("-", "_")
        ours |= {f"{stem}_{name}": value for name, value in _references(simulator).items()}
    return child_environment(ours)


def _references(simulator: Simulator) -> dict[str, str]:
    """What the references of a destination's settings stand for, by the last part of their names."""
    url = urlsplit(simulator.running.url)
    found = dict.fromkeys(("PASSWORD", "KEY", "API_KEY", "TOKEN", "CLIENT_SECRET"), _PASSWORD)
    found |= {"SECRET": _SIGNING, "URL": simulator.running.url, "TOKEN_URL": f"{simulator.running.url}/oauth/token"}
    if url.scheme == "file":
        found["FOLDER"] = unquote(url.path)
    if url.port is not None:
        found |= {"HOST": url.hostname or "", "PORT": str(url.port)}
    return {**found, **simulator.files}


def _copy_councils(folder: Path) -> None:
    shutil.copytree(_OWN, folder)
    for name in _NEIGHBOURS:
        if not (folder / name).is_dir():
            shutil.copytree(_SHARED / name, folder / name)


def _make_keys(stage: Stage) -> None:
    """Front ends with keys and a member of staff with a token, before the hub is there to be asked."""
    keys = {}
    with open_core(Settings.read(stage.environment)) as core:

        def work(connection: Connection) -> str:
            for name, front_end in FRONT_ENDS.items():
                made = credentials.add_front_end(
                    connection, core.store.hasher, name=name, councils=front_end.councils, services=None, by="demo",
                    key=front_end.key, shortest=1,
                )  # fmt: skip
                keys[name] = made.secret
            return credentials.add_user(
                connection, core.store.hasher, name="demo-admin", role=Role.ADMIN, councils=None, by="demo"
            ).secret

        stage.user_token = core.store.transact_now(work)
    stage.keys = keys


@contextlib.contextmanager
def _hub(stage: Stage, port: int) -> Iterator[str]:
    """The hub as anybody runs it, in a process of its own; gives its address."""
    with (stage.folder / "hub.log").open("w") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "run", "--port", str(port), "--json", "--until-eof"],
            env=dict(stage.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
        )
        try:
            line = _first_line(process)
            if not line:
                raise DemoFailed(f"The hub did not start; {stage.folder / 'hub.log'} says why.")
            yield json.loads(line)["hub"]
        finally:
            _end(process)


def _first_line(process: subprocess.Popen[str]) -> str:
    killer = threading.Timer(_READY_WITHIN.total_seconds(), process.kill)
    killer.start()
    try:
        return process.stdout.readline() if process.stdout else ""
    finally:
        killer.cancel()


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()

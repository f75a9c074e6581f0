"""Serves one process of the hub: opens its doors, runs its rooms, and ends both in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
import uvicorn
from fastapi import FastAPI

from hub.assembly import Core, Hub, RunRole, check_role, make_hub, open_core, running, sole_owner, web_app
from hub.cli.desk import local_user
from hub.cli.restore import refuse_half_restored
from hub.errors import SettingsError
from hub.generation import CouncilFilesRefused
from hub.intake.app import Face
from hub.intake.readiness import Readiness
from hub.settings import Settings

log = structlog.get_logger()

#: Seconds. The writer's thread lets go of the interpreter at each statement and must not wait 5 ms to get it back:
#: with Python's own interval a busy event loop makes every commit ten times slower.
SWITCH = 0.001
FAREWELL = timedelta(seconds=10)  #: for requests that are being answered when we are told to stop

#: Processes of which there are several behind one address, so that others can take what comes while one leaves.
_BALANCED = (RunRole.INTAKE, RunRole.CONSOLE)

Ready = Callable[[dict[str, str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """An address to listen on, and who is served there; `faces` of None are those of the role."""

    name: str
    host: str
    port: int
    faces: Collection[Face] | None = None


def doors_of(settings: Settings, role: RunRole, *, asked: bool) -> list[Door]:
    """Where this process listens. A worker needs no port, and several on one machine could not share one."""
    if role is RunRole.WORKER and not asked:
        return []
    front = Door(name="hub", host=settings.host, port=settings.port)
    if settings.admin_host is None and settings.admin_port is None:
        return [front]
    if role in (RunRole.WORKER, RunRole.CONSOLE):
        return [front]
    return [
        Door(name="hub", host=settings.host, port=settings.port, faces=(Face.PUBLISHING, Face.MACHINE)),
        Door(
            name="admin",
            host=settings.admin_host or settings.host,
            port=_beside(settings.port) if settings.admin_port is None else settings.admin_port,
            faces=(Face.OPS, Face.MACHINE),
        ),
    ]


def _beside(port: int) -> int:
    return port + 1 if port else 0


def serve(settings: Settings, role: RunRole, doors: Sequence[Door], *, ready: Ready, until_eof: bool) -> int:
    """Run until SIGTERM or SIGINT, or with `until_eof` until standard input ends. Blocks; returns the exit status."""
    check_role(settings, role)
    sys.setswitchinterval(SWITCH)
    with contextlib.ExitStack() as stack:
        # Doors first: a taken port is the commonest mistake, and should not cost a migration to find out.
        sockets = [stack.enter_context(contextlib.closing(_listen(door))) for door in doors]
        stack.enter_context(sole_owner(settings))
        core = stack.enter_context(open_core(settings))
        refuse_half_restored(core)
        take_up_councils(core, role)
        hub = make_hub(core, role)
        # What is loaded by now stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        runner = stack.enter_context(_runner())
        runner.run(_live(hub, doors, sockets, ready=ready, until_eof=until_eof))
    return 0


def take_up_councils(core: Core, role: RunRole) -> None:
    """Put council files in force: those of the folder where everything is one process, else the store's newest.

    A hub that has run before is not kept from starting by a folder that
    somebody is editing: it goes on with the generation that it had.
    """
    folder = core.settings.mappings
    if (role is not RunRole.ALL or not folder.is_dir()) and core.councils.load_newest():
        return
    if not folder.is_dir():
        raise SettingsError(f"There is no folder {folder} of council files; set HUB_MAPPINGS, or `hub councils new`.")
    try:
        core.councils.adopt(folder, by=local_user().name)
    except CouncilFilesRefused as refused:
        if not core.councils.load_newest():
            raise
        log.error(
            "councils.refused", generation=core.councils().generation, remedy="run `hub check`, then `hub reload`"
        )
        sys.stderr.write(f"hub: {refused} The hub runs on with generation {core.councils().generation}.\n")


async def _live(
    hub: Hub, doors: Sequence[Door], sockets: Sequence[socket.socket], *, ready: Ready, until_eof: bool
) -> None:
    stop = asyncio.Event()
    opened = asyncio.Semaphore(0)
    servers = [_Server(web_app(hub, faces=door.faces), opened=opened.release) for door in doors]
    with _told_to_stop(stop):
        watching = await _stop_at_eof(stop) if until_eof else None
        async with running(hub):
            serving = [
                asyncio.create_task(server.serve(sockets=[one])) for server, one in zip(servers, sockets, strict=True)
            ]
            for _ in servers:
                await opened.acquire()
            log.info("hub.ready", role=hub.role.value)
            ready({door.name: address_of(one) for door, one in zip(doors, sockets, strict=True)})
            await stop.wait()
            await _leave(hub, servers, serving)
        if watching is not None:
            watching.cancel()


async def _leave(hub: Hub, servers: Sequence[_Server], serving: Sequence[asyncio.Task[None]]) -> None:
    """Claim nothing from this moment, be not ready, and then close the doors behind whoever is being answered."""
    log.info("hub.stopping")
    resting = asyncio.create_task(hub.rest())
    for server in servers:
        server.readiness.leave()
    if servers and hub.role in _BALANCED:
        await asyncio.sleep(hub.core.settings.stop_notice.total_seconds())
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving, resting)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",  # the rooms may have two doors or none, so we start and end them ourselves
        access_log=False,
        server_header=False,
        log_config=None,
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=int(FAREWELL.total_seconds()),
    )


class _Server(uvicorn.Server):
    """Says when it is open, and leaves signals to the process: one process may have two servers."""

    def __init__(self, app: FastAPI, *, opened: Callable[[], None]) -> None:
        super().__init__(_config(app))
        self._opened = opened
        self.readiness: Readiness = app.state.room.readiness

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._opened()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _told_to_stop(stop: asyncio.Event) -> Iterator[None]:
    """The first signal stops in order; the second at once: the store keeps what was under way."""
    loop = asyncio.get_running_loop()

    def heard() -> None:
        if stop.is_set():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heard)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _stop_at_eof(stop: asyncio.Event) -> asyncio.Task[bytes]:
    """Whoever started us holds the other end: however they die, the pipe ends, and so do we."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    watching = asyncio.create_task(reader.read())
    watching.add_done_callback(lambda _: stop.set())
    return watching


def _listen(door: Door) -> socket.socket:
    try:
        found = socket.getaddrinfo(door.host, door.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as failure:
        raise SettingsError(
            f"Cannot listen on {door.host}:{door.port} ({failure.strerror}); choose another --host or --port."
        ) from None
    listening.setblocking(False)
    return listening


def address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _runner() -> asyncio.Runner:
    try:
        import uvloop
    except ImportError:  # not on every platform
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)

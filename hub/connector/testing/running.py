"""A pretend back office running in a process of its own, as a test or the demo holds it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from datetime import timedelta
from types import TracebackType
from typing import IO, Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from hub.connector.testing.modes import At, Mode

#: The child imports from where we import, so that an author's own simulator is found in it too.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from hub.connector.testing.serve import main; sys.exit(main())"
)


class Running:
    """A back office's process. Use it with `with` or `async with`; it ends with the block, or with us."""

    def __init__(self, process: subprocess.Popen[str], *, url: str, control: str) -> None:
        self.process = process
        self.url = url
        self.control = control

    def ledger(self) -> list[dict[str, Any]]:
        """What it committed, read over HTTP. Blocks for a millisecond or two."""
        items: list[dict[str, Any]] = self._ask("GET", "/_ledger")["items"]
        return items

    def behave(
        self,
        mode: Mode | str,
        *,
        times: int | None = None,
        seconds: float | None = None,
        at: At | str | None = None,
    ) -> None:
        """Set how it behaves; see `Script` for what an absent `at` means."""
        self._ask("POST", "/_behaviour", {"mode": mode, "times": times, "seconds": seconds, "at": at})

    def options(self, **options: Any) -> dict[str, Any]:
        """Set options of this product's simulator; returns all of them."""
        return self._ask("PUT", "/_options", options)

    def forget(self) -> None:
        """Empty the ledger."""
        self._ask("DELETE", "/_ledger")

    def reset(self) -> None:
        """Behave, and forget everything."""
        self.behave(Mode.OK)
        self.forget()

    def stop(self) -> None:
        """End the process. Safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def _ask(self, method: str, path: str, body: object | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.control + path, data=data, method=method)
        try:
            with urlopen(request, timeout=10) as answer:
                read: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            with error:
                raise ValueError(json.load(error)["error"]) from None
        return read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def spawn(
    target: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    control_port: int | None = None,
    errors: IO[str] | int | None = None,
    ready_within: timedelta = timedelta(seconds=30),
) -> Running:
    """Start `module:app` in a process of its own and wait until it answers.

    The child ends when `stop` is called, when the block ends, or when this
    process dies however it dies. `errors` takes its standard error.
    """
    arguments = [target, "--host", host, "--port", str(port)]
    if control_port is not None:
        arguments += ["--control-port", str(control_port)]
    process = subprocess.Popen(
        [sys.executable, "-c", _START, json.dumps(sys.path), *arguments, "--until-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    line = _first_line(process, within=ready_within)
    if not line:
        Running(process, url="", control="").stop()
        raise RuntimeError(f"{target} did not start; its own words are on standard error")
    return Running(process, **json.loads(line))


def _first_line(process: subprocess.Popen[str], *, within: timedelta) -> str:
    """The child's first line, or nothing when it ended or took too long."""
    killer = threading.Timer(within.total_seconds(), process.kill)
    killer.start()
    try:
        return process.stdout.readline() if process.stdout else ""
    finally:
        killer.cancel()

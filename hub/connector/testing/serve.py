"""Serves a pretend back office in a process of its own: `python -m hub.connector.testing.serve MODULE:app`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
import sys

from hub.connector.testing.hosting import load, serving
from hub.connector.testing.office import Office


async def run(office: Office, *, host: str, port: int, control_port: int | None, until_eof: bool) -> None:
    """Serve until SIGTERM or SIGINT, or until standard input ends; prints one JSON line when ready."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(office, host=host, port=port, control_port=control_port) as address:
        sys.stdout.write(json.dumps({"url": address.url, "control": address.control}) + "\n")
        sys.stdout.flush()
        if until_eof:
            # The parent holds the other end: however it dies, the pipe ends, and so does this process.
            reader = asyncio.StreamReader()
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
            ended = asyncio.ensure_future(reader.read())
            ended.add_done_callback(lambda _: stop.set())
        await stop.wait()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="hub.connector.testing.serve", description=__doc__)
    parser.add_argument("target", metavar="MODULE:app")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=None)
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    given = parser.parse_args(arguments)
    try:
        office = load(given.target)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    gc.freeze()
    try:
        import uvloop
    except ImportError:
        runner = asyncio.Runner()
    else:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    try:
        with runner:
            runner.run(
                run(
                    office,
                    host=given.host,
                    port=given.port,
                    control_port=given.control_port,
                    until_eof=given.until_eof,
                )
            )
    except OSError as error:
        sys.stderr.write(f"cannot listen on {given.host}: {error.strerror}; choose another --port\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The wires before the servers of a rehearsal: they pass on, refuse, cut and fall silent."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from hub.gameday.network import Line, wires


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(4096):
            self.request.sendall(data)


@pytest.fixture
def line() -> Iterator[Line]:
    """A wire before a server that says everything back."""
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with wires({"echo": ("127.0.0.1", server.server_address[1])}) as lines:
            yield lines["echo"]
        server.shutdown()


def call(line: Line) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=5)


def said_back(connection: socket.socket, words: bytes = b"hello") -> bytes:
    connection.sendall(words)
    return connection.recv(4096)


def hung_up(connection: socket.socket) -> bool:
    """The other end is gone, by goodbye or by reset."""
    try:
        return connection.recv(10) == b""
    except ConnectionError:
        return True


def test_it_passes_on_both_ways(line: Line) -> None:
    with call(line) as connection:
        assert said_back(connection) == b"hello"
        assert line.taken == 1


def test_stopped_it_cuts_what_is_there_and_refuses_what_comes(line: Line) -> None:
    with call(line) as connection:
        assert said_back(connection) == b"hello"
        line.stop()
        assert hung_up(connection)
        with pytest.raises(ConnectionRefusedError):
            call(line)


def test_started_again_it_listens_where_it_did(line: Line) -> None:
    line.stop()
    line.start()
    with call(line) as connection:
        assert said_back(connection) == b"hello"


def test_frozen_it_says_nothing_to_either_end_and_new_ones_are_well(line: Line) -> None:
    with call(line) as silent, call(line) as other:
        assert said_back(silent) == b"hello"
        line.freeze()
        silent.settimeout(0.3)
        with pytest.raises(TimeoutError):
            said_back(silent)
        with call(line) as new:
            assert said_back(new) == b"hello"
        other.settimeout(0.3)
        with pytest.raises(TimeoutError):
            other.recv(10)

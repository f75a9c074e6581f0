"""Every error the transport knows has an outcome; a new one in a later aiohttp fails here first."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import aiohttp
import pytest
from aiohttp import client_exceptions

from hub.connector import Misconfigured, Unavailable, Unclear
from hub.connector.outcomes import TRANSPORT, Left, Repeated, of_transport

#: aiohttp's own server, its test tools, and what its parsers raise inside: HttpProcessingError is caught for them all.
ELSEWHERE = ("web", "test_utils", "pytest_plugin", "worker", "http_exceptions", "_websocket")


def client_errors() -> set[type[Exception]]:
    found: set[type[Exception]] = set()
    for module in pkgutil.iter_modules(aiohttp.__path__):
        if module.name.startswith(ELSEWHERE):
            continue
        names = vars(import_module(f"aiohttp.{module.name}")).values()
        found |= {one for one in names if isinstance(one, type) and issubclass(one, Exception)}
    return {one for one in found if one.__module__.startswith("aiohttp.client_exceptions")}


def test_every_error_of_aiohttps_client_has_an_outcome_of_its_own() -> None:
    assert client_errors() >= {aiohttp.ClientError, aiohttp.SocketTimeoutError}, "the walk finds something"
    assert client_errors() - set(TRANSPORT) == set()


def test_every_error_that_aiohttp_exports_is_covered() -> None:
    exported = {getattr(aiohttp, name) for name in aiohttp.__all__ if not name.startswith("Web")}
    errors = {one for one in exported if isinstance(one, type) and issubclass(one, Exception)}
    payloads = {aiohttp.BadContentDispositionHeader, aiohttp.BadContentDispositionParam}  # warnings
    uncovered = {one for one in errors - payloads if not any(kind in TRANSPORT for kind in one.__mro__)}
    assert {one.__name__ for one in uncovered} <= {"EofStream", "WebSocketError", "StreamParser"}


@pytest.mark.parametrize("kind", [one for one, (left, _) in TRANSPORT.items() if left is Left.PERHAPS])
def test_what_may_have_left_is_unclear_and_what_did_not_is_unavailable(kind: type[BaseException]) -> None:
    trouble = kind.__new__(kind)
    assert isinstance(of_transport(trouble, write=True, left=True), Unclear)
    assert isinstance(of_transport(trouble, write=True, left=False), Unavailable)
    assert isinstance(of_transport(trouble, write=False, left=True), Unavailable)


@pytest.mark.parametrize("kind", [one for one, (left, _) in TRANSPORT.items() if left is Left.NEVER])
def test_without_a_connection_nothing_was_sent(kind: type[BaseException]) -> None:
    assert isinstance(of_transport(kind.__new__(kind), write=True, left=True), Unavailable)


@pytest.mark.parametrize("kind", [one for one, (left, _) in TRANSPORT.items() if left is Left.OURS])
def test_our_address_or_trust_is_for_us_to_mend(kind: type[BaseException]) -> None:
    for write in (True, False):
        failure = of_transport(kind.__new__(kind), write=write, left=True)
        assert isinstance(failure, Misconfigured) and not failure.suspect


def test_a_repetition_that_was_stopped_means_what_caused_it() -> None:
    assert isinstance(of_transport(Repeated(aiohttp.ServerDisconnectedError()), write=True, left=True), Unclear)


def test_an_error_below_a_known_one_has_the_nearest_outcome() -> None:
    class New(client_exceptions.ClientConnectorError):
        pass

    assert isinstance(of_transport(New.__new__(New), write=True, left=True), Unavailable)

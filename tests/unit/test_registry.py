"""Connectors are found by name, and imported when they are first asked for."""

from __future__ import annotations

import pytest

from hub.errors import NotThere
from hub.registry import BrokenConnector, Registry
from tests.folders import Depot


def test_a_connector_is_found_by_name() -> None:
    assert Registry({"depot": Depot}).get("depot") is Depot


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(NotThere, match="did you mean `depot`"):
        Registry({"depot": Depot}).get("depo")


def test_an_empty_registry_says_so() -> None:
    with pytest.raises(NotThere, match="there is no connector `depot`"):
        Registry().get("depot")


def test_names_come_in_order() -> None:
    assert Registry({"b": Depot, "a": Depot}).names == ("a", "b")


def test_a_connector_is_imported_once_and_only_when_asked_for() -> None:
    asked: list[str] = []

    def load() -> object:
        asked.append("depot")
        return Depot

    registry = Registry(waiting={"depot": load})
    assert (registry.names, asked) == (("depot",), [])
    assert registry.get("depot") is registry.get("depot") is Depot
    assert asked == ["depot"]


def test_a_connector_that_cannot_be_imported_is_named() -> None:
    def load() -> object:
        raise ImportError("no module named depot_sdk")

    with pytest.raises(BrokenConnector, match=r"`depot` cannot be imported \(ImportError: no module named depot_sdk\)"):
        Registry(waiting={"depot": load}).get("depot")


def test_what_is_no_connector_is_refused() -> None:
    with pytest.raises(BrokenConnector, match="lacks name"):
        Registry(waiting={"depot": lambda: object}).get("depot")


def test_installed_connectors_are_discovered() -> None:
    assert isinstance(Registry.discover().names, tuple)

"""Who may import whom, and what the pure rooms may not touch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import house

CONNECTORS = house.modules("connectors")
SIMULATORS = [path for path in CONNECTORS if path.stem == "simulator"]

#: Time, chance and the environment arrive in the pure rooms as arguments.
PURE = house.modules("hub/model.py", "hub/errors.py", "hub/standard", "hub/core")
NOT_PURE = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid7"}
NOT_PURE_MODULES = {"secrets", "random", "os"}

ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}


def imported(paths: list[Path], forbidden: Callable[[Path, str], bool]) -> list[str]:
    """Each import of these modules that is not allowed there, with its place."""
    return [
        f"{house.name(path)}:{line} {what}"
        for path in paths
        for line, what in house.imports(path)
        if forbidden(path, what)
    ]


def attributes(path: Path) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(house.tree(path)) if isinstance(node, ast.Attribute))


def test_every_room_imports_only_what_stands_below_it() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    told = subprocess.run([linter, "--no-logo"], cwd=house.ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_pure_rooms_ask_for_no_clock_and_no_chance() -> None:
    called = [
        f"{house.name(path)}:{node.lineno} {house.dotted(node.func)}()"
        for path in PURE
        for node in ast.walk(house.tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NOT_PURE
    ]
    touched = [
        f"{house.name(path)}:{node.lineno} {house.dotted(node)}"
        for path in PURE
        for node in attributes(path)
        if isinstance(node.value, ast.Name) and node.value.id in NOT_PURE_MODULES
    ]
    assert called + touched == [], "take it as an argument"


def test_only_the_settings_read_the_environment() -> None:
    rooms = [path for path in house.modules("hub", "connectors") if house.name(path) != "hub/settings.py"]
    read = [
        f"{house.name(path)}:{node.lineno}"
        for path in rooms
        for node in attributes(path)
        if house.dotted(node) in ENVIRONMENT
    ]
    assert read + imported(rooms, lambda _, what: what in ENVIRONMENT) == [], "take the value as an argument"


def test_connectors_import_the_door_and_their_own_folder_only() -> None:
    def elsewhere(path: Path, what: str) -> bool:
        product = house.name(path).split("/")[1]
        if what.startswith("connectors."):
            return what.split(".")[1] != product
        return what.startswith("hub.") and not what.startswith("hub.connector.")

    assert imported(CONNECTORS, elsewhere) == []


def test_connectors_take_the_door_as_it_is_published() -> None:
    def behind_the_door(path: Path, what: str) -> bool:
        room, _, _ = what.rpartition(".")
        published = {"hub.connector"} | ({"hub.connector.testing"} if path in SIMULATORS else set())
        return what.startswith("hub.connector.") and room not in published

    assert imported(CONNECTORS, behind_the_door) == [], "import it from hub.connector"


def test_a_simulator_never_imports_its_connector() -> None:
    """Sharing code, the two would agree in their mistakes."""
    assert imported(SIMULATORS, lambda _, what: what.startswith("connectors.")) == []


def test_the_client_needs_the_standard_and_nothing_else_of_the_hub() -> None:
    allowed = ("hub.client", "hub.standard")
    client = house.modules("hub/client")
    assert imported(client, lambda _, what: what.startswith("hub.") and not what.startswith(allowed)) == []


def test_the_conformance_kit_does_not_load_pytest() -> None:
    program = "import sys, hub.connector.testing; sys.exit('pytest' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], cwd=house.ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr or "hub.connector.testing loads pytest"

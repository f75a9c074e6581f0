"""One noun per file, small enough to read; nothing left unfinished or unsaid."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from tests import house

#: A migration is a list of what was done once; nobody reads it as a module.
MIGRATIONS = house.modules("hub/store/migrations")
CODE = [path for path in house.modules("hub", "connectors") if path not in MIGRATIONS]
MODULES = [*CODE, *house.modules("tests")]

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

TOP = {"hub", "connectors", "mappings", "tests", "docker"}
NO_NOUN = {"utils", "util", "helpers", "helper", "common", "misc", "src", "lib"}

#: In pieces, so that this file does not accuse itself.
PLACES_OF_ONE_MACHINE = re.compile("|".join(f"/{folder}/" for folder in ("work", "root")))
ESCAPES = re.compile(r"#\s*type:\s*ignore" + r"(?!\[)" + "|" + r"#\s*noqa" + r"(?!: ?[A-Z])")
PATCHES = re.compile("|".join(("monkeypatch" + r"\.setattr", "mock" + r"\.patch", "Magic" + "Mock")))


def lines(path: Path) -> int:
    return len(text(path).splitlines())


def text(path: Path) -> str:
    """What a file says; nothing, where it does not speak in text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def found(pattern: re.Pattern[str], paths: Iterable[Path]) -> list[str]:
    return [
        f"{house.name(path)}:{number} {match}"
        for path in paths
        for number, line in enumerate(text(path).splitlines(), start=1)
        for match in pattern.findall(line)
    ]


def test_every_module_says_what_it_is_for() -> None:
    assert [house.name(path) for path in [*MODULES, *MIGRATIONS] if not ast.get_docstring(house.tree(path))] == []


def test_every_module_is_short_enough_to_read() -> None:
    long = {house.name(path): lines(path) for path in MODULES if lines(path) > LONGEST_MODULE}
    assert long == {}, "two nouns live there: give each a file"


def test_every_function_is_short_enough_to_see() -> None:
    long = [
        f"{house.name(path)}:{node.lineno} {node.name}: {length} lines"
        for path in CODE
        for node in ast.walk(house.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_failure_is_swallowed_without_a_name() -> None:
    swallowed = [
        f"{house.name(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(house.tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or house.dotted(node.type) in {"Exception", "BaseException"})
        and all(isinstance(each, ast.Pass | ast.Continue) for each in node.body)
    ]
    assert swallowed == [], "name what may happen, or say what was done about it"


def test_every_escape_from_a_checker_names_its_rule() -> None:
    assert found(ESCAPES, MODULES) == []


def test_no_test_patches_the_house() -> None:
    assert found(PATCHES, house.modules("tests")) == [], "fakes are products"


def test_the_listing_of_the_house_is_its_plan() -> None:
    folders = {house.name(path).split("/")[0] for path in house.files() if "/" in house.name(path)}
    assert {folder for folder in folders if not folder.startswith(".")} <= TOP


def test_every_file_is_called_by_a_noun() -> None:
    assert [house.name(path) for path in MODULES if NO_NOUN & {path.stem, *house.name(path).split("/")[:-1]}] == []


def test_folders_are_at_most_two_deep_below_the_hub() -> None:
    assert [
        house.name(path) for path in CODE if house.name(path).startswith("hub/") and len(path.parts) > _deepest()
    ] == []


def _deepest() -> int:
    return len(house.ROOT.parts) + len(("hub", "room", "shelf", "module.py"))


def test_mappings_hold_data_and_never_code() -> None:
    kinds = {path.suffix for path in house.files() if house.name(path).startswith("mappings/")}
    assert kinds <= {".yaml", ".csv", ".md"}


def test_no_file_names_a_place_of_one_machine() -> None:
    assert found(PLACES_OF_ONE_MACHINE, house.files()) == []


def test_a_lock_file_names_no_registry() -> None:
    locks = [path for path in house.files() if path.suffix == ".lock" or path.name == "package-lock.json"]
    assert found(re.compile("://"), locks) == []


def test_both_lock_files_choose_the_same_versions() -> None:
    run, dev = (text(house.ROOT / name).splitlines() for name in ("requirements.lock", "requirements-dev.lock"))
    assert set(run) - set(dev) == set(), "make lock"


def test_the_median_module_stays_small(record_property: Callable[[str, object], None]) -> None:
    median = statistics.median(map(lines, CODE))
    record_property("median_module_lines", median)
    assert median < 200, "the house aims for 130"


def test_make_help_knows_the_commands_of_the_house() -> None:
    told = subprocess.run(["make", "help"], cwd=house.ROOT, capture_output=True, text=True, check=True).stdout
    assert {"help", "setup", "demo", "run", "test", "lint"} <= set(re.findall(r"^  make (\S+)", told, re.MULTILINE))

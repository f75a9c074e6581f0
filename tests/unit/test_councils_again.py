"""Council files read a second time: patterns that are as they were are not worked through again."""

from __future__ import annotations

from collections.abc import Mapping

from hub.core.mapping import CompiledMapping
from hub.councils import Loaded, load
from tests.folders import FILES, registry

REGISTRY = registry()
PATTERN = "patterns/depot/missed-bin.yaml"


def read(files: Mapping[str, str]) -> Loaded:
    return load(files, registry=REGISTRY, secrets=None)


def used(loaded: Loaded) -> CompiledMapping:
    return loaded.draft.find("northborough").routes_for("missed-bin")[0].mapping


def test_a_change_of_a_council_compiles_no_pattern_again() -> None:
    first = read(FILES)
    changed = read({file: text if file == PATTERN else text + "\n# changed\n" for file, text in FILES.items()})
    assert used(changed) is used(first)
    assert (changed.findings, changed.errors) == (first.findings, [])


def test_a_pattern_that_changed_is_compiled_and_its_findings_are_said_each_time() -> None:
    first = read(FILES)
    broken = {**FILES, PATTERN: FILES[PATTERN].replace("connector: depot", "connector: nobody")}
    wrong = [read(broken), read(broken)]
    assert used(wrong[0]) is not used(first)
    assert wrong[0].errors and wrong[0].findings == wrong[1].findings
    assert read(FILES).errors == []

"""Council files: read from disk, parsed with positions, merged where one extends another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.council_files import MAX_SOURCE, Doc, merge, read_tree, read_yaml
from hub.councils import Loaded, load
from tests.folders import FILES, SECRETS, loaded, only, registry


def doc(text: str, file: str = "a.yaml") -> Doc:
    made, findings = read_yaml(text, file)
    assert made is not None
    assert findings == []
    return made


def tree_of(folder: Path, files: dict[str, str]) -> dict[str, str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return read_tree(folder)


def test_a_tree_is_read_by_path(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"a/council.yaml": "x: 1", "a/t.csv": "k,v\n", "a/README.md": "no", ".git/x.yaml": "no"})
    assert {name: text for name, text in tree.items() if name.startswith("a/")} == {
        "a/council.yaml": "x: 1",
        "a/t.csv": "k,v\n",
    }


def test_a_strange_file_is_there_by_name_only(tmp_path: Path) -> None:
    assert tree_of(tmp_path, {"a/code.py": "import os"})["a/code.py"] == ""


def test_a_folder_that_is_not_there_is_an_empty_tree(tmp_path: Path) -> None:
    assert [name for name in read_tree(tmp_path / "nowhere") if not name.startswith("patterns/")] == []


def test_a_generation_travels_as_json_and_is_rebuilt_elsewhere(tmp_path: Path) -> None:
    stored = json.dumps(tree_of(tmp_path, FILES))
    made = load(json.loads(stored), registry=registry(), secrets=SECRETS.__getitem__, generation=7)
    assert made.councils is not None
    assert made.councils.generation == 7
    assert made.councils.slugs == ("northborough",)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("7", 7),
        ("-7", -7),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("~", None),
        ("", None),
        ("2026-01-01", "2026-01-01"),
        ("12:30", "12:30"),
        ("60s", "60s"),
        ("E07000999", "E07000999"),
        ("'007'", "007"),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("=", "="),
    ],
)
def test_yaml_is_read_as_version_1_2(text: str, read: Any) -> None:
    assert doc(f"a: {text}").data == {"a": read}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate_key", 3, 1),
        ("a:\n  b: 1\n  c: 1\n  b: 2", "duplicate_key", 4, 3),
        ("a: {b: 1, b: 2}", "duplicate_key", 1, 11),
        ("a: [1", "yaml_syntax", 1, 6),
        ("a: 'x", "yaml_syntax", 1, 6),
        ("a: b: c", "yaml_syntax", 1, 5),
        ("a:\n\t- 1", "yaml_syntax", 2, 1),
        ("a: 1\n---\nb: 2", "yaml_syntax", 2, 1),
        ("", "yaml_syntax", 1, 1),
        ("# nothing", "yaml_syntax", 1, 1),
        ("a: \x00", "yaml_syntax", 1, 1),
        ("[" * 5000, "yaml_syntax", 1, 1),
        ("a: &x 1\nb: *x", "yaml_alias", 2, 1),
        ("a: &x {b: 1}\nc:\n  <<: *x", "yaml_alias", 3, 3),
        ("a: !!python/object:os.system x", "yaml_tag", 1, 4),
        ("a: !secret x", "yaml_tag", 1, 4),
        ("? [a, b]\n: 1", "wrong_type", 1, 3),
        ("a: 007", "ambiguous_number", 1, 4),
        ("a: 0x1f", "ambiguous_number", 1, 4),
        ("a: 1_000", "ambiguous_number", 1, 4),
        ("a: .inf", "ambiguous_number", 1, 4),
        ("a: " + "x" * MAX_SOURCE, "too_large", 1, 1),
    ],
    ids=lambda text: str(text)[:20],
)
def test_what_yaml_may_not_say_is_found_where_it_stands(text: str, code: str, line: int, column: int) -> None:
    _, findings = read_yaml(text, "a.yaml")
    assert (findings[0].code, findings[0].line) == (code, line)
    assert code == "yaml_syntax" or findings[0].column == column


def test_a_bomb_of_aliases_does_not_go_off() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
    _, findings = read_yaml("\n".join(lines), "a.yaml")
    assert {each.code for each in findings} == {"yaml_alias"}


def test_keys_are_words() -> None:
    assert doc("{true: 1, 81: 2, '007': 3, null: 4}").data == {"true": 1, "81": 2, "007": 3, "null": 4}


def test_a_place_is_where_the_values_own_text_begins() -> None:
    places = doc("a: x\nb: 'y'\nc:\n  d: 1\ne: |\n  text\n").places
    assert (places.of(("a",)).line, places.of(("a",)).column) == (1, 4)
    assert (places.of(("b",)).line, places.of(("b",)).column) == (2, 5)
    assert (places.of(("c",)).line, places.of(("c",)).column) == (3, 1)
    assert (places.of(("e",)).line, places.of(("e",)).column) == (6, 3)


def test_extending_merges_maps_deeply_and_replaces_lists_and_leaves() -> None:
    base = doc("create: {record: {a: 1, b: {c: 2, d: 3}, e: [1, 2]}}")
    over = doc("create: {record: {b: {d: 4, x: 5}, e: [9]}}", "b.yaml")
    assert merge(base, over).data == {"create": {"record": {"a": 1, "b": {"c": 2, "d": 4, "x": 5}, "e": [9]}}}


def test_a_leaf_omit_removes() -> None:
    assert merge(doc("a: 1\nb: {c: 2}\nd: 3"), doc("a: omit\nb: omit\nz: omit")).data == {"d": 3}


def test_a_loop_replaces_a_map_and_a_map_a_loop() -> None:
    loop, plain = "a: {for: x in y, emit: 1}", "a: {b: 1}"
    assert merge(doc(loop), doc(plain)).data == {"a": {"b": 1}}
    assert merge(doc(plain), doc(loop)).data == {"a": {"for": "x in y", "emit": 1}}


def test_every_leaf_of_a_merged_tree_keeps_the_file_it_stands_in() -> None:
    merged = merge(doc("a: 1\nb:\n  c: 2\n  d: [7, 8]"), doc("b:\n  d: [9]", "b.yaml"))
    assert merged.places.of(("b", "c")).file == "a.yaml"
    assert (merged.places.of(("b", "d", 0)).file, merged.places.of(("b", "d", 0)).line) == ("b.yaml", 2)
    assert ("b", "d", 1) not in merged.places.values


def refused(name: str, text: str) -> Loaded:
    return loaded({**FILES, name: text})


def test_a_file_that_is_not_utf8_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "council.yaml").write_bytes(b"council: Caf\xe9\nslug: a\n")
    findings = loaded(read_tree(tmp_path) | FILES).findings
    assert only(findings, "not_utf8").file == "a/council.yaml"


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfcode,id\n")
    assert read_tree(tmp_path)["t.csv"] == "code,id\n"


def test_a_file_for_a_front_ends_own_format_is_a_profile() -> None:
    profile = "patterns/intake/xgov/missed-bin.yaml"
    found = refused(profile, "anything: '{{ answers.x }}'").errors
    assert {(each.file, each.code) for each in found} == {(profile, "missing_key")}
    assert only(refused(profile, "a: 1\na: 2").findings, "duplicate_key").file == profile

"""`hub submit`: files in several forms, every submission under a key of its own, repeated where the hub asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.cli.submit import keys_for, publish, read_file
from hub.errors import SettingsError
from tests.terminal import Terminal


def file(folder: Path, text: str) -> Path:
    path = folder / "submissions.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ['[{"a": 1}, {"b": 2}]', '{"a": 1}\n{"b": 2}\n', '\n{"a": 1}\n\n{"b": 2}'])
def test_a_list_and_json_lines_are_the_same(tmp_path: Path, text: str) -> None:
    assert read_file(file(tmp_path, text)) == [{"a": 1}, {"b": 2}]


def test_one_object_over_several_lines_is_one_submission(tmp_path: Path) -> None:
    assert read_file(file(tmp_path, '{\n "a": 1\n}')) == [{"a": 1}]


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="line 2"):
        read_file(file(tmp_path, '{"a": 1}\n{"b": \n'))


def test_a_file_that_is_not_there_is_named(hub: Terminal) -> None:
    said = hub("submit", "nowhere.json", "--key", "k")
    assert said.status == 1
    assert "nowhere.json" in said.err


def test_the_same_file_gets_the_same_keys() -> None:
    assert keys_for([{"a": 1, "b": 2}]) == keys_for([{"b": 2, "a": 1}])


def test_a_second_copy_in_a_file_is_a_second_submission() -> None:
    first, second = keys_for([{"a": 1}, {"a": 1}])
    assert first != second


async def test_where_nothing_answers_the_address_is_named() -> None:
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:9"):
        await publish([{}], url="http://127.0.0.1:9", key="k")


def test_what_is_no_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="number 2"):
        read_file(file(tmp_path, '[{"a": 1}, 7]'))


def test_a_file_without_submissions_is_refused(hub: Terminal) -> None:
    hub.write("empty.json", "[]")
    assert hub("submit", str(hub.folder / "empty.json"), "--key", "k").status == 1


def test_json_is_written_as_it_was_meant(tmp_path: Path) -> None:
    assert read_file(file(tmp_path, json.dumps({"text": "Stryd y Bont 🌳"}))) == [{"text": "Stryd y Bont 🌳"}]

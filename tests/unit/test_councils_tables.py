"""Tables of codes: in YAML, in CSV, for one route or for the whole council."""

from __future__ import annotations

from typing import Any

import pytest

from hub.councils import Loaded
from hub.errors import MappingFault
from tests.folders import COUNCIL, PATTERN, files, loaded, only

INLINE = "{refuse: 81, mixed_recycling: 82, food: 85, other: 99}"
CSV = "waste,id,team\nrefuse,81,East\nfood,85,West\nmixed_recycling,82,East\nother,99,East\n"


def with_table(stated: str, csv: str = CSV) -> Loaded:
    tree = files(council=COUNCIL.replace(INLINE, stated))
    del tree["northborough/cases/missed-bin/food.yaml"]
    return loaded({**tree, "northborough/bins.csv": csv})


def looked_up(made: Loaded, kind: str) -> Any:
    assert made.councils is not None, made.findings
    route = made.councils.find("northborough").routes[0]
    data = {"details": {"containers": [{"waste_type": kind}]}, "council": "northborough"}
    context = route.context(data, {"our_reference": "ABCD-EFGH"})
    return route.record("create", context, item_index=0)["service_id"]


def test_a_table_may_be_a_csv_file_beside_the_council() -> None:
    assert looked_up(with_table("{csv: bins.csv, key: waste, value: id, as: number}"), "food") == 85


def test_a_cell_of_a_csv_file_is_text_unless_said_otherwise() -> None:
    assert looked_up(with_table("{csv: bins.csv, key: waste, value: id}"), "food") == "85"


def test_the_first_column_is_the_key_unless_said_otherwise() -> None:
    assert looked_up(with_table("{csv: bins.csv, value: id}"), "food") == "85"


def test_a_table_may_have_a_default() -> None:
    made = with_table("{csv: bins.csv, value: id, as: number, on_missing: default, default: 7}")
    assert looked_up(made, "glass") == 7
    assert "missing_entry" not in {each.code for each in made.findings}
    inline = with_table("{table: {food: 85}, on_missing: default, default: 7}")
    assert (looked_up(inline, "food"), looked_up(inline, "glass")) == (85, 7)


def test_without_a_default_a_code_that_is_not_listed_waits_for_a_person() -> None:
    with pytest.raises(MappingFault, match="table `service_ids` has no entry"):
        looked_up(loaded(), "glass")


def test_a_table_of_the_council_serves_every_route() -> None:
    council = COUNCIL.replace("    with:\n      service_ids: " + INLINE + "\n", "")
    council = council.replace("routes:", f"tables:\n  service_ids: {INLINE}\nroutes:")
    assert looked_up(loaded(files(council=council)), "food") == 85


def test_a_need_may_have_a_default() -> None:
    council = COUNCIL.replace("    with:\n      service_ids: " + INLINE + "\n", "")
    pattern = PATTERN.replace("keys: waste_type", "keys: waste_type, default: {food: 1, refuse: 2, other: 3}")
    tree = files(council=council, pattern=pattern)
    del tree["northborough/cases/missed-bin/food.yaml"]
    assert looked_up(loaded(tree), "food") == 1


@pytest.mark.parametrize(
    ("stated", "csv", "code", "remedy"),
    [
        ("{csv: bin.csv}", CSV, "missing_table", "did you mean `bins.csv`?"),
        ("{csv: ../other/bins.csv}", CSV, "missing_table", "did you mean `bins.csv`?"),
        ("{csv: bins.csv, key: wast}", CSV, "missing_column", "did you mean `waste`?"),
        ("{csv: bins.csv, value: ids}", CSV, "missing_column", "did you mean `id`?"),
        ("{csv: bins.csv, valu: id}", CSV, "unknown_key", "did you mean `value`?"),
        ("{csv: bins.csv, value: id, on_missing: skip}", CSV, "wrong_enum", "write `refuse` or `default`"),
        ("{csv: bins.csv, value: id, on_missing: default}", CSV, "missing_key", "add `default:`"),
        ("{csv: bins.csv, value: id, default: 1}", CSV, "unknown_key", "add `on_missing: default`"),
        ("{csv: bins.csv, value: team, as: number}", CSV, "wrong_type", "mend this row"),
        ("{csv: bins.csv, value: id, as: date}", CSV, "wrong_enum", "mend this row"),
        ("{csv: bins.csv, value: id}", CSV + "food,86,West\n", "duplicate_key", "mend this row"),
        ("{csv: bins.csv, value: id}", CSV + "glass,86\n", "bad_table", "mend this row"),
        ("{csv: bins.csv, value: id}", CSV + "glass,86,a,b\n", "bad_table", "mend this row"),
        ("{csv: bins.csv, value: id}", "", "bad_table", "name its columns"),
        ("{csv: bins.csv, value: id}", 'a,id\n"x,1\n', "bad_table", "mend this row"),
        ("81", CSV, "wrong_type", "write `{code: value}`"),
        ("", CSV, "wrong_type", "give it a value or a table"),
    ],
)
def test_a_fault_of_a_table_is_found(stated: str, csv: str, code: str, remedy: str) -> None:
    found = [each for each in with_table(stated, csv).findings if each.code == code]
    assert found
    assert remedy in found[0].remedy


def test_a_missing_column_is_found_where_it_is_named() -> None:
    finding = only(with_table("{csv: bins.csv, value: ids}").findings, "missing_column")
    assert (finding.file, finding.line, finding.column) == ("northborough/council.yaml", 17, 43)


def test_a_row_that_the_contract_does_not_know_is_a_warning_in_the_file() -> None:
    finding = only(with_table("{csv: bins.csv, value: id, as: number}", CSV + "gold,1,x\n").findings, "wrong_enum")
    assert (finding.file, finding.line, finding.severity.value) == ("northborough/bins.csv", 6, "warning")


def test_a_trace_names_the_line_of_the_row() -> None:
    made = with_table("{csv: bins.csv, value: id, as: number}")
    assert made.councils is not None
    route = made.councils.find("northborough").routes[0]
    context = route.context({"details": {"containers": [{"waste_type": "food"}]}}, {"our_reference": "A"})
    lines = route.trace("create", context, item_index=0).lines
    assert [(line.table, line.row) for line in lines if line.table] == [("service_ids", 3)]

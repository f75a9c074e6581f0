"""What mappings/README.md says is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from hub.core import compiling, dates, filters
from tests.house import ROOT

README = (ROOT / "mappings" / "README.md").read_text(encoding="utf-8")
SOURCES: list[Path] = [*ROOT.glob("hub/council*.py"), *ROOT.glob("hub/core/*.py")]
#: How findings and faults are raised: the code follows the place, or stands first.
RAISED = re.compile(r'(?:find\w*\([^"\n]*|Finding\.at\([^"\n]*|_Refusal\(|Mishap\()"([a-z_]+)",')


def test_every_filter_and_test_is_described() -> None:
    assert [name for name in [*filters.SIGNATURES, *filters.TESTS] if name not in README] == []


def test_every_key_of_a_mapping_and_every_status_is_described() -> None:
    assert [name for name in [*compiling.KEYS, *compiling.CASE_STATUSES] if name not in README] == []


def test_every_date_directive_is_listed() -> None:
    assert [directive for directive in dates.DIRECTIVES if directive not in README] == []


def test_every_code_is_listed() -> None:
    raised = {code for path in SOURCES for code in RAISED.findall(path.read_text(encoding="utf-8"))}
    assert len(raised) > 40
    assert sorted(code for code in raised if f"`{code}`" not in README) == []

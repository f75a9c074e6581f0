"""A connector that is declared in the council file: what its settings make of it, and what `hub check` says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import pytest

from connectors.rest import Rest
from connectors.webhook import Webhook
from hub.connector import BadSetting, Operation, ReplaySafety, tailored
from hub.core.findings import Finding
from hub.councils import Loaded, load
from hub.registry import Registry
from tests.folders import Depot, Job, only
from tests.house import ROOT

COUNCIL = """\
council: Eastvale District Council
slug: eastvale
gss: E07000997
destinations:
  crm:
    connector: rest
    settings:
      url: "env:CRM_URL"
      auth: {bearer: {token: "env:CRM_TOKEN"}}
      create:
        path: /cases
        reference: /id
routes:
  - service: missed-bin
    to: crm
    mapping:
      create:
        operation: create
        record: {title: Missed bin, ref: "{{ hub.our_reference }}"}
"""
SECRETS = {"env:CRM_URL": "https://crm.example", "env:CRM_TOKEN": "correct-horse"}


def loaded(council: str = COUNCIL, *, resolves: bool = True) -> Loaded:
    registry = Registry({"rest": Rest, "depot": Depot})
    secrets = SECRETS.__getitem__ if resolves else None
    return load({"eastvale/council.yaml": council}, registry=registry, secrets=secrets)


def errors_with(old: str, new: str) -> list[Finding]:
    assert old in COUNCIL
    return loaded(COUNCIL.replace(old, new)).errors


def with_settings(lines: str) -> str:
    indented = "".join(f"      {line}\n" for line in lines.splitlines())
    return COUNCIL.replace("      create:\n        path", f"{indented}      create:\n        path")


@pytest.mark.parametrize("resolves", [True, False])
def test_one_file_is_a_council_with_a_product_that_no_connector_knows(resolves: bool) -> None:
    found = loaded(resolves=resolves)
    assert (found.errors, found.councils is not None) == ([], True)


@pytest.mark.parametrize(
    ("lines", "safety", "can"),
    [
        ("", ReplaySafety.UNSAFE, ""),
        ("idempotency_header: Idempotency-Key", ReplaySafety.IDEMPOTENT, ""),
        ('lookup: {path: "/c?q={our_reference}", list: "", reference: /id, our_reference: /ref}',
         ReplaySafety.LOOKUP, "find check"),
        ('update: {path: "/c/{reference}"}\nattach: {path: "/c/{reference}"}\ncheck: /ping', ReplaySafety.UNSAFE,
         "update attach check"),
    ],
)  # fmt: skip
def test_what_it_can_and_what_a_repeat_does_follow_from_what_is_declared(
    lines: str, safety: ReplaySafety, can: str
) -> None:
    councils = loaded(with_settings(lines)).councils
    assert councils is not None
    crm = councils.destination("eastvale/crm")
    assert crm.replay_safety("create", "create") is safety
    verbs = ("find", "update", "cancel", "attach", "check", "changes")
    assert {verb for verb in verbs if crm.can(verb)} == set(can.split())


def test_a_product_that_says_already_there_rejects_duplicates() -> None:
    council = COUNCIL.replace("reference: /id", "reference: /id\n        duplicate: {status: 409, reference: /id}")
    crm = loaded(council).draft.destination("eastvale/crm")
    assert crm.replay_safety("create", "create") is ReplaySafety.REJECTS_DUPLICATES


def test_a_verb_that_is_not_declared_is_found_in_the_mapping() -> None:
    finding = only(errors_with("      create:\n        op", "      update: {operation: update, record: {}}\n"
                               "      create:\n        op"), "unknown_block")  # fmt: skip
    assert (finding.line, finding.message) == (17, "connector `rest` cannot `update`")
    assert finding.remedy == "remove `update:`, or declare it in the destination's settings"


def test_a_field_that_the_address_needs_is_missed_in_the_mapping() -> None:
    finding = only(errors_with("path: /cases", 'path: "/{kind}/cases"'), "missing_field")
    assert (finding.line, finding.message) == (19, "`create` needs the field `kind`")
    filled = COUNCIL.replace("path: /cases", 'path: "/{kind}/cases"').replace("{title:", "{kind: waste, title:")
    assert loaded(filled).errors == []


FAULTS = """\
url: "env:CRM_URL" -> url: crm.example = bad_setting 8
bearer: {token -> bearer: {tokem = unknown_key 9
bearer: {token: "env:CRM_TOKEN"} -> bearer: {token: horse} = plain_secret 9
auth: {bearer -> auth: {basic: {username: a, password: "env:CRM_TOKEN"}, bearer = bad_setting 9
auth: {bearer: {token: "env:CRM_TOKEN"}} -> headers: {X-Api-Key: horse} = bad_setting 9
path: /cases -> path: cases = bad_setting 11
path: /cases -> path: "/cases/{reference}" = bad_setting 11
path: /cases -> path: "/cases/{ref" = bad_setting 11
path: /cases -> paths: /cases = unknown_key 11
path: /cases -> method: POST = missing_key 10
reference: /id -> reference: id = bad_setting 12
reference: /id -> reference: {at: /id, header: Location} = bad_setting 12
reference: /id -> reference: {header: Location, pattern: "a(b"} = bad_setting 12
reference: /id -> reference: {header: Location, pattern: "cases/.*"} = bad_setting 12
"""


@pytest.mark.parametrize("fault", FAULTS.splitlines())
def test_a_fault_of_the_settings_is_found_at_its_line(fault: str) -> None:
    change, _, expected = fault.rpartition(" = ")
    old, _, new = change.partition(" -> ")
    code, line = expected.split()
    found = [(each.code, each.line) for each in errors_with(old, new)]
    assert (code, int(line)) in found, found


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('attach: {path: "/c/{name}"}', "there is no `{name}` here"),
        ('attach: {path: "/c/{reference}", body: json}', "go together"),
        (
            'lookup: {path: "/c?q={reference}", list: /i, reference: /r, our_reference: /o}',
            "there is `{our_reference}`",
        ),
        ('lookup: {path: "/c", list: i, reference: /r, our_reference: /o}', "write `/i`"),
        ('lookup: {path: "/c", json: {q: 1}, list: /i, reference: /r, our_reference: /o}', "only a POST"),
        ('update: {path: "/c", body: xml}', "needs `xml: {root: …}`"),
        ("update: {path: /c, answers: any, ok: {at: /ok}}", "nothing is read"),
        ("update: {path: /c, ok: {is: 3}}", "known by its `status`"),
        ("update: {path: /c, ok: {status: 99}}", "greater than or equal to 200"),
        ("check: {path: ping}", "begins with `/`"),
        ("idempotency_header: Idempotency Key", "match pattern"),
    ],
)
def test_what_the_parts_allow_and_the_whole_does_not_is_found(lines: str, said: str) -> None:
    (finding,) = loaded(with_settings(lines)).errors
    assert (finding.code, finding.line, said in finding.message) == ("bad_setting", 10, True), finding


def test_a_duplicate_that_leads_to_no_case_is_found() -> None:
    (finding,) = errors_with("reference: /id", "reference: /id\n        duplicate: {status: 409}")
    assert (finding.code, finding.line) == ("bad_setting", 13)
    assert "lookup" in finding.message


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (BadSetting("no such look; use near", at=("pause_ms",)), "`pause_ms`: no such look; use near"),
        (BadSetting("nothing fits"), "`settings`: nothing fits"),
        (KeyError("x"), "`settings`: no connector comes of it (KeyError)"),
    ],
)
def test_an_authors_own_complaint_or_bug_is_a_finding_and_no_traceback(trouble: Exception, said: str) -> None:
    class Torn(Depot):
        """A depot that looks at its settings."""

        @classmethod
        def configured(cls, settings: Mapping[str, Any]) -> type[Self]:
            raise trouble

    council = COUNCIL.replace("connector: rest", "connector: torn").partition("    settings:")[0]
    council += '    settings: {url: "env:CRM_URL", password: "env:CRM_TOKEN", pause_ms: 3}\n'
    found = load({"eastvale/council.yaml": council}, registry=Registry({"torn": Torn}), secrets=SECRETS.__getitem__)
    (finding,) = found.errors
    assert (finding.code, finding.line, finding.message) == ("bad_setting", 7, said)
    assert found.draft.destination("eastvale/crm").connector_class is Torn


def test_a_tailored_class_keeps_its_name_and_loses_the_verbs_it_has_not() -> None:
    class Wide(Depot):
        """A depot of any kind."""

        operations: ClassVar = {"BookJob": Operation(Job)}

    made = tailored(Wide, operations={}, without=("update", "find"))
    assert (made.__name__, made.__doc__, made.operations) == ("Wide", "A depot of any kind.", {})
    assert not callable(made.find) and callable(Wide.find)


def test_a_file_goes_as_safely_as_the_settings_say_though_no_mapping_speaks_of_it() -> None:
    lines = 'idempotency_header: Idempotency-Key\nattach: {path: "/c/{reference}/files"}'
    route = loaded(with_settings(lines)).draft.find("eastvale").routes[0]
    assert route.safety("attach") is ReplaySafety.IDEMPOTENT
    assert route.safety("update") is ReplaySafety.UNSAFE


@pytest.mark.parametrize("product", ["rest", "webhook"])
def test_what_a_page_shows_passes_the_check(product: str) -> None:
    page = (ROOT / "connectors" / product / "README.md").read_text()
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    if "gss:" not in shown:
        shown = f"council: Eastvale District Council\nslug: eastvale\ngss: E07000997\n{shown}"
    registry = Registry({"rest": Rest, "webhook": Webhook})
    found = load({"eastvale/council.yaml": shown}, registry=registry, secrets=None)
    assert (found.errors, found.councils is not None) == ([], True)

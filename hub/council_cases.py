"""Mappings tried: over the contract's good examples, over a council's cases, and as a preview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hub import standard
from hub.core.findings import Finding, Place, Severity, instead
from hub.core.routing import is_test
from hub.core.trace import Traced
from hub.core.tree import Path
from hub.council import Council, Route
from hub.council_files import Doc, Library
from hub.council_records import check_record
from hub.errors import HubError, Invalid, MappingFault
from hub.model import Takes

#: Examples and cases are dated, so that they read the same on every day.
TODAY: Final = date(2026, 1, 15)
_RECEIVED: Final = "2026-01-15T10:00:00Z"
_REFERENCE: Final = "ABCD-EFGH"
#: Faults that one submission may have and another not: the mapping itself may be right.
_BY_SUBMISSION: Final = frozenset(["absent", "required", "no_entry", "not_in_britain"])
_CASE_KEYS: Final = ("about", "given", "expect", "fault", "to", "route", "hub")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What one delivery of a submission would send; a fault stands where no record can be made."""

    destination: str
    route: str
    item_index: int | None
    operation: str
    our_reference: str
    record: dict[str, Any] | None
    faults: tuple[str, ...] = ()
    code: str = ""  #: of the first fault
    traced: Traced | None = None

    def as_dict(self, *, trace: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "destination": self.destination,
            "route": self.route,
            "item_index": self.item_index,
            "operation": self.operation,
            "our_reference": self.our_reference,
            "record": self.record,
            "faults": list(self.faults),
        }
        if trace and self.traced is not None:
            shown["trace"] = [line.as_dict() for line in self.traced.lines]
        return shown


def previews(council: Council, service: str, data: Mapping[str, Any], hub: Mapping[str, Any]) -> list[Preview]:
    """Every delivery that this submission would become. Raises nothing: what fails stands in the preview."""
    planned: list[tuple[Route, dict[str, Any], int | None] | Preview] = []
    test = is_test(data)
    for route in council.routes_for(service):
        if not route.takes.fits(test=test):
            continue
        context = route.context(data, hub)
        try:
            if route.when is not None and not route.when.holds(context):
                continue
            elements = route.split(context)
        except MappingFault as fault:
            planned.append(_failed(route, fault, hub))
            continue
        indexes = range(len(elements)) if route.mapping.has_each else [None]
        planned.extend((route, context, at) for at in indexes)
    several = Counter(each[0].destination_id for each in planned if isinstance(each, tuple))
    seen: Counter[str] = Counter()
    made = []
    for each in planned:
        if isinstance(each, Preview):
            made.append(each)
            continue
        route, context, at = each
        seen[route.destination_id] += 1
        number = f"-{seen[route.destination_id]}" if several[route.destination_id] > 1 else ""
        made.append(_preview(route, context, at, f"{hub['our_reference']}{number}"))
    return made


def _failed(route: Route, fault: MappingFault, hub: Mapping[str, Any]) -> Preview:
    return Preview(
        destination=route.destination_id,
        route=route.name,
        item_index=None,
        operation="",
        our_reference=str(hub["our_reference"]),
        record=None,
        faults=(str(fault),),
        code=fault.code,
    )


def _preview(route: Route, context: dict[str, Any], at: int | None, our_reference: str) -> Preview:
    context = {**context, "hub": {**context["hub"], "our_reference": our_reference}}
    operation = route.mapping.operation("create")
    traced = route.trace("create", context, item_index=at)
    if traced.fault is None:
        assert traced.record is not None
        faults = tuple(check_record(route.destination.connector_class, operation, traced.record))
    else:
        faults = (str(traced.fault),)
    return Preview(
        destination=route.destination_id,
        route=route.name,
        item_index=at,
        operation=operation,
        our_reference=our_reference,
        record=traced.record,
        faults=faults,
        code=traced.fault.code if traced.fault is not None else "record" if faults else "",
        traced=traced,
    )


def hub_facts(council: Council, **more: Any) -> dict[str, Any]:
    """`hub` as examples and cases see it."""
    facts = {
        "our_reference": _REFERENCE,
        "reference": _REFERENCE,
        "received_at": _RECEIVED,
        "council": council.slug,
        "warnings": [],
    }
    return facts | more


def check_examples(council: Council, service: str) -> Iterator[Finding]:
    """Run a council's routes for a service over the contract's good examples."""
    known = standard.SERVICES[service]
    passed: set[str] = set()
    failed: dict[tuple[str, str], Preview] = {}
    for version in known.versions:
        for example in known.examples(version, today=TODAY)[0]:
            data = standard.read_data({**example.body, "council": council.slug}, today=TODAY).data
            hub = hub_facts(council, **_more_facts(service, data))
            for shown in _tried(council, service, data, hub):
                if not shown.faults:
                    passed.add(shown.route)
                for fault in shown.faults:
                    failed.setdefault((shown.route, fault), shown)
    for (name, fault), shown in failed.items():
        route = council.route(name)
        softly = shown.code in _BY_SUBMISSION and (name in passed or shown.code != "absent")
        yield _example_finding(route, fault, softly=softly)


def _tried(council: Council, service: str, data: Mapping[str, Any], hub: Mapping[str, Any]) -> Iterator[Preview]:
    """An example at every destination: at those that take tests only it is a test."""
    yield from previews(council, service, data, hub)
    if any(route.takes is Takes.TEST for route in council.routes_for(service)):
        for shown in previews(council, service, {**data, "test": True}, hub):
            if council.route(shown.route).takes is Takes.TEST:
                yield shown


def _more_facts(service: str, data: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if "front_end_reference" in data:
        facts["front_end_reference"] = data["front_end_reference"]
    if service == "foi-request":
        facts["due_by"] = "2026-02-12"
    if service == "subject-access-request":
        facts["due_by"] = "2026-02-16"
    return facts


def _example_finding(route: Route, fault: str, *, softly: bool) -> Finding:
    where, _, _ = fault.partition(" ")
    file, _, line = where.rpartition(":")
    known = bool(file) and line.isdigit()
    place = Place(file=file, line=int(line)) if known else Place(file=route.file, line=route.line)
    said = fault.partition(" ")[2] if known else fault
    message = f"with a good example of {route.service} (route {route.name}): {said}"
    if softly:
        remedy = "such a submission will wait for a person; give a default or an entry if it should not"
        return Finding.at(place, "example", message, remedy, severity=Severity.WARNING)
    return Finding.at(place, "example", message, "mend the mapping, then run `hub mappings preview`")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """How one case went: given this submission, was it that record?"""

    file: str
    council: str
    service: str
    problems: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "council": self.council,
            "service": self.service,
            "ok": self.ok,
            "problems": [problem.as_dict() for problem in self.problems],
        }


def case_files(library: Library, council: str, service: str | None = None) -> list[str]:
    """The cases of a council, or of one of its services."""
    start = f"{council}/cases/{service}/" if service else f"{council}/cases/"
    return [file for file in library.files if file.startswith(start) and file.endswith(".yaml")]


def run_case(library: Library, council: Council, file: str) -> CaseResult:
    """Run one case file."""
    _, _, service = file.removesuffix(f"/{file.rpartition('/')[2]}").rpartition("/")
    doc = library.doc(file)
    problems = tuple(_problems(doc, council, service)) if doc is not None else ()
    if doc is None:
        message = "the case cannot be read"
        problems = (Finding.at(Place(file=file), "case", message, "mend the YAML; `hub check` says where"),)
    return CaseResult(file=file, council=council.slug, service=service, problems=problems)


def _problems(doc: Doc, council: Council, service: str) -> Iterator[Finding]:
    case = doc.data
    if not isinstance(case, dict) or not isinstance(case.get("given"), dict):
        yield _at(doc, (), "missing_key", "a case without `given`", "write the submission below `given:`")
        return
    for key in case:
        if key not in _CASE_KEYS:
            remedy = instead(key, _CASE_KEYS)
            yield Finding.at(doc.places.key((key,)), "unknown_key", f"a case has no `{key}`", remedy)
    if ("expect" in case) == ("fault" in case):
        yield _at(doc, (), "missing_key", "a case has either `expect` or `fault`", "write the record below `expect:`")
        return
    if service not in council.services:
        remedy = instead(service, council.services)
        yield _at(doc, (), "case", f"{council.slug} has no route for `{service}`", remedy)
        return
    try:
        shown = _shown(case, council, service)
    except Invalid as error:
        for pointer, said in error.faults:
            yield _at(doc, ("given", *_steps(pointer)), "case", f"given {pointer}: {said}", "mend the submission")
    except HubError as error:
        yield _at(doc, ("given",), "case", str(error), "mend the submission")
    else:
        yield from _compared(doc, case, shown)


def _shown(case: Mapping[str, Any], council: Council, service: str) -> list[Preview]:
    given = {"council": council.slug, "service": service, **case["given"]}
    given.setdefault("version", 1)  # as with a mapping: what does not say it was written when there was one
    data = standard.read_data(given, today=TODAY).data
    facts = hub_facts(council, **(_more_facts(service, data) | (case.get("hub") or {})))
    shown = previews(council, service, data, facts)
    wanted_route, wanted_place = case.get("route"), case.get("to")
    return [
        each
        for each in shown
        if wanted_route in (None, each.route) and wanted_place in (None, each.destination.partition("/")[2])
    ]


def _compared(doc: Doc, case: Mapping[str, Any], shown: list[Preview]) -> Iterator[Finding]:
    if "fault" in case:
        said = [fault for each in shown for fault in each.faults]
        wanted = str(case["fault"])
        if not any(wanted in fault for fault in said) and wanted not in {each.code for each in shown}:
            message = f"no delivery failed with `{wanted}`; {'; '.join(said) or 'all went well'}"
            yield _at(doc, ("fault",), "case", message, "mend the mapping or the case")
        return
    for each in shown:
        for fault in each.faults:
            yield _at(doc, ("expect",), "case", f"route {each.route}: {fault}", "mend the mapping or the case")
    records = [each.record for each in shown if each.record is not None]
    expected = case["expect"] if isinstance(case["expect"], list) else [case["expect"]]
    if len(records) != len(expected):
        if all(not each.faults for each in shown):
            message = f"{len(records)} records were made, {len(expected)} expected"
            yield _at(doc, ("expect",), "case", message, "name one with `to:` or `route:`, or mend the case")
        return
    for at, (record, wanted) in enumerate(zip(records, expected, strict=True)):
        path = ("expect", at) if isinstance(case["expect"], list) else ("expect",)
        for below, why in differences(record, wanted):
            name = ".".join(str(step) for step in below) or "the record"
            yield _at(doc, (*path, *below), "case", f"{name}: {why}", "mend the mapping or the case")


def differences(made: Any, wanted: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Where a record is not the expected one. Cases are fictional, so values are shown."""
    if isinstance(made, dict) and isinstance(wanted, dict):
        for key in wanted.keys() - made.keys():
            yield (*path, key), f"expected {wanted[key]!r}, but it was not made"
        for key in made.keys() - wanted.keys():
            yield (*path, key), f"not expected, but made as {made[key]!r}"
        for key in [key for key in wanted if key in made]:
            yield from differences(made[key], wanted[key], (*path, key))
    elif isinstance(made, list) and isinstance(wanted, list) and len(made) == len(wanted):
        for at, (one, other) in enumerate(zip(made, wanted, strict=True)):
            yield from differences(one, other, (*path, at))
    elif made != wanted or isinstance(made, bool) != isinstance(wanted, bool):
        yield path, f"expected {wanted!r}, made {made!r}"


def _steps(pointer: str) -> Path:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("#").split("/") if step]
    return tuple(int(step) if step.isdigit() else step for step in steps)


def _at(doc: Doc, path: Path, code: str, message: str, remedy: str) -> Finding:
    return Finding.at(doc.places.of(path), code, message, remedy)

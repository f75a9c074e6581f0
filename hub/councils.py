"""Reads mappings/: councils, destinations, routes, tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub import standard
from hub.core.compiling import compile_condition, compile_mapping
from hub.core.findings import Finding, Place, Severity, instead
from hub.core.mapping import CompiledMapping, Condition
from hub.core.reading import optional_paths, tested_paths
from hub.core.tables import OnMissing, Table
from hub.core.tree import Path
from hub.council import Council, Councils, Destination, Route, Secrets
from hub.council_cases import CaseResult, Preview, case_files, check_examples, previews, run_case
from hub.council_destinations import DestinationReader
from hub.council_files import Doc, Library, read_tree, without_omit
from hub.council_records import check_records
from hub.council_tables import TableReader
from hub.errors import HubError, NotThere
from hub.registry import Registry

CALENDARS: Final = ("england-and-wales", "scotland", "northern-ireland")
_KEYS: Final = ("council", "slug", "gss", "calendar", "destinations", "tables", "routes")
_ROUTE_KEYS: Final = ("service", "to", "mapping", "name", "when", "with")
_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_GSS: Final = re.compile(r"[EWSN]\d{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a tree of files: the councils (None where anything is wrong), and every finding."""

    councils: Councils | None
    findings: list[Finding]
    draft: Councils  #: whatever could be built, wrong or not; for `hub mappings test` and previews
    library: Library

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]


def load(
    files: Mapping[str, str], *, registry: Registry, secrets: Secrets | None, generation: int = 0, cases: bool = True
) -> Loaded:
    """Build the councils of one generation and check all that can be checked without a network.

    Raises nothing for what the files say: that is in the findings. `secrets`
    resolves `env:` and `file:` references; with None they are left alone.
    `cases` may be False where the same files were checked before (a worker
    that loads a generation from the store).
    """
    return _Loader(files, registry=registry, secrets=secrets).load(generation=generation, cases=cases)


def run_cases(files: Mapping[str, str], loaded: Loaded, path: str | None = None) -> list[CaseResult]:
    """Every case of every council; with `path`, those in that file or folder (relative to the tree)."""
    wanted = (path or "").strip("/")
    library = Library(files)
    return [
        run_case(library, council, file)
        for council in loaded.draft
        for file in case_files(library, council.slug)
        if not wanted or file == wanted or file.startswith(f"{wanted}/")
    ]


def preview(
    councils: Councils, council: str, service: str, data: Mapping[str, Any], hub: Mapping[str, Any]
) -> list[Preview]:
    """Each delivery that a submission would become: its record or fault, and the trace. Raises NotThere."""
    found = councils.find(council)
    if service not in found.services:
        remedy = instead(service, found.services, what="it takes")
        raise NotThere(f"{found.slug} does not take `{service}`; {remedy}")
    return previews(found, service, data, hub)


@dataclass(slots=True)
class _Draft:
    """One council while it is read."""

    slug: str
    doc: Doc
    tables: dict[str, Any] = field(default_factory=dict)
    destinations: dict[str, Destination] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)  #: routes by name, with their line


class _Loader:
    def __init__(self, files: Mapping[str, str], *, registry: Registry, secrets: Secrets | None) -> None:
        self.files = files
        self.registry = registry
        self.secrets = secrets
        self.findings: list[Finding] = []
        self.library = Library(files, self.findings)
        self._compiled: dict[tuple[str, frozenset[str]], tuple[CompiledMapping, Doc] | None] = {}
        self._schemas = {
            code: tuple(service.schema(version) for version in service.versions)
            for code, service in standard.SERVICES.items()
        }

    def load(self, *, generation: int, cases: bool) -> Loaded:
        self.library.check_files()
        councils: dict[str, Council] = {}
        for slug in self.library.councils():
            council = self._council(slug)
            if council is not None:
                self._unique(council, councils)
                councils[slug] = council
        self._unused_mappings()
        draft = Councils(councils, generation=generation)
        # Trying mappings that are known to be wrong would only say the same twice.
        if cases and not any(finding.severity is Severity.ERROR for finding in self.findings):
            self._try(draft)
        findings = sorted(dict.fromkeys(self.findings), key=lambda each: (each.file, each.line, each.column))
        wrong = any(finding.severity is Severity.ERROR for finding in findings)
        return Loaded(councils=None if wrong else draft, findings=findings, draft=draft, library=self.library)

    def _council(self, slug: str) -> Council | None:
        file = f"{slug}/council.yaml"
        if file not in self.files:
            place = Place(file=file)
            self.findings.append(Finding.at(place, "missing_file", f"`{slug}` has no council.yaml", "write one"))
            return None
        doc = self.library.doc(file)
        if doc is None:
            return None
        if not isinstance(doc.data, dict):
            self._find(doc, (), "wrong_type", "council.yaml is a map", "begin with `council: …`")
            return None
        draft = _Draft(slug, doc)
        self._known(doc, doc.data, _KEYS, (), "a council")
        self._identity(draft)
        draft.tables = self._tables(draft, "tables", doc.data.get("tables", {}), ("tables",))
        self._destinations(draft)
        routes = [self._route(draft, value, ("routes", at)) for at, value in enumerate(self._list(doc, "routes"))]
        return Council(
            slug=slug,
            name=str(doc.data.get("council", slug)),
            gss=str(doc.data.get("gss", "")),
            calendar=str(doc.data.get("calendar", CALENDARS[0])),
            destinations=draft.destinations,
            routes=tuple(route for route in routes if route is not None),
        )

    def _identity(self, draft: _Draft) -> None:
        doc, data = draft.doc, draft.doc.data
        for key in ("council", "slug", "gss"):
            if key not in data:
                self._find(doc, (), "missing_key", f"council.yaml without `{key}`", f"add `{key}:`")
        if not _SLUG.fullmatch(draft.slug) or data.get("slug", draft.slug) != draft.slug:
            message = f"the slug must be the folder's name, `{draft.slug}`, in small letters, digits and hyphens"
            self._find(doc, ("slug",), "bad_slug", message, f"write `slug: {draft.slug}`, or rename the folder")
        if "gss" in data and not _GSS.fullmatch(str(data["gss"])):
            self._find(doc, ("gss",), "bad_gss", "a GSS code is a letter and eight digits", "write, say, E07000999")
        if data.get("calendar", CALENDARS[0]) not in CALENDARS:
            remedy = instead(str(data["calendar"]), CALENDARS)
            self._find(doc, ("calendar",), "wrong_enum", f"there is no calendar `{data['calendar']}`", remedy)

    def _destinations(self, draft: _Draft) -> None:
        doc = draft.doc
        stated = doc.data.get("destinations", {})
        if not isinstance(stated, dict):
            self._find(doc, ("destinations",), "wrong_type", "`destinations` is a map", "name each destination")
            return
        reader = DestinationReader(
            council=draft.slug,
            places=doc.places,
            registry=self.registry,
            secrets=self.secrets,
            findings=self.findings,
        )
        for name, value in stated.items():
            if not _SLUG.fullmatch(name):
                message = f"`{name}` cannot name a destination"
                self._find(doc, ("destinations", name), "bad_slug", message, "use small letters, digits and hyphens")
            if (made := reader.read(name, value)) is not None:
                draft.destinations[name] = made

    def _route(self, draft: _Draft, value: Any, path: Path) -> Route | None:
        doc = draft.doc
        if not isinstance(value, dict):
            self._find(doc, path, "wrong_type", "a route is a map", "write `service:`, `to:` and `mapping:`")
            return None
        self._known(doc, value, _ROUTE_KEYS, path, "a route")
        missing = [key for key in ("service", "to", "mapping") if not isinstance(value.get(key), str)]
        for key in missing:
            self._find(doc, path, "missing_key", f"a route without `{key}`", f"add `{key}:`")
        if missing:
            return None
        service, to = value["service"], value["to"]
        self._leads_somewhere(draft, service, to, path)
        self._named(draft, value, path)
        when = self._when(doc, value, service, path)
        given = self._tables(draft, "with", value.get("with", {}), (*path, "with"))
        tables = draft.tables | given
        file = self.library.locate(value["mapping"], near=doc.file)
        found = self._mapping(draft, file, frozenset(tables), path)
        destination = draft.destinations.get(to)
        if found is None or destination is None:
            return None
        mapping, merged = found
        self._fits(doc, mapping, merged, destination, service, path)
        tables |= {name: need.default for name, need in mapping.needs.items() if need.has_default and name not in tables}
        self._needs(draft, mapping, tables, given, path)
        self._columns(draft, mapping, tables, path)
        self.findings.extend(optional_paths(mapping.optional, tested=tested_paths(when.rule) if when else frozenset()))
        return Route(
            name=str(value.get("name", f"{service}->{to}")),
            service=service,
            destination=destination,
            mapping=mapping,
            mapping_file=file,
            tables={name: self._ready(name, each) for name, each in tables.items()},
            when=when,
            file=doc.file,
            line=doc.places.of(path).line,
        )

    def _ready(self, name: str, value: Any) -> Any:
        """A need's default may be a table as well."""
        return Table(name=name, rows=value, lines={}) if isinstance(value, dict) else value

    def _leads_somewhere(self, draft: _Draft, service: str, to: str, path: Path) -> None:
        if service not in standard.SERVICES:
            remedy = instead(service, standard.SERVICES)
            self._find(draft.doc, (*path, "service"), "unknown_service", f"there is no service `{service}`", remedy)
        stated = draft.doc.data.get("destinations")
        known = list(stated) if isinstance(stated, dict) else []
        if to not in known:
            remedy = instead(to, known)
            self._find(draft.doc, (*path, "to"), "unknown_destination", f"there is no destination `{to}`", remedy)

    def _named(self, draft: _Draft, value: Mapping[str, Any], path: Path) -> None:
        name = str(value.get("name", f"{value['service']}->{value['to']}"))
        at = (*path, "name") if "name" in value else path
        if name in draft.names:
            message = f"two routes are named `{name}` (the first on line {draft.names[name]})"
            self._find(draft.doc, at, "duplicate_route", message, "give one of them another `name:`")
        draft.names.setdefault(name, draft.doc.places.of(at).line)

    def _when(self, doc: Doc, value: Mapping[str, Any], service: str, path: Path) -> Condition | None:
        if "when" not in value:
            return None
        place = doc.places.of((*path, "when"))
        condition, findings = compile_condition(value["when"], place, schemas=self._schemas.get(service, ()))
        self.findings.extend(findings)
        return condition

    def _tables(self, draft: _Draft, key: str, stated: Any, path: Path) -> dict[str, Any]:
        if not isinstance(stated, dict):
            self._find(draft.doc, path, "wrong_type", f"`{key}` is a map", "name each table or value")
            return {}
        reader = TableReader(
            files=self.files, folder=draft.slug, places=draft.doc.places, findings=self.findings
        )
        return {name: reader.read(name, value, (*path, name)) for name, value in stated.items()}

    def _mapping(
        self, draft: _Draft, file: str, names: frozenset[str], path: Path
    ) -> tuple[CompiledMapping, Doc] | None:
        """The compiled mapping; the same pattern is compiled once for all councils that use it alike."""
        if file not in self.files:
            there = self.library.patterns() if file.startswith("patterns/") else self._own(draft.slug)
            wanted = file.removeprefix("patterns/").removesuffix(".yaml") if file.startswith("patterns/") else file
            remedy = instead(wanted, there)
            self._find(draft.doc, (*path, "mapping"), "missing_mapping", f"there is no mapping {file}", remedy)
            return None
        return self._compile(file, names)

    def _own(self, slug: str) -> list[str]:
        start = f"{slug}/"
        return [file.removeprefix(start) for file in self.files if file.startswith(start) and file.count("/") == 1]

    def _compile(self, file: str, names: frozenset[str] = frozenset()) -> tuple[CompiledMapping, Doc] | None:
        key = (file, names)
        if key not in self._compiled:
            self._compiled[key] = self._compile_afresh(file, names)
        return self._compiled[key]

    def _compile_afresh(self, file: str, names: frozenset[str]) -> tuple[CompiledMapping, Doc] | None:
        merged = self.library.mapping(file)
        if merged is None:
            return None
        if not isinstance(merged.data, dict):
            self._find(merged, (), "wrong_type", "a mapping is a map", "begin with `service: …`")
            return None
        service = merged.data.get("service")
        if isinstance(service, str) and service not in standard.SERVICES:
            message = f"there is no service `{service}`"
            self._find(merged, ("service",), "unknown_service", message, instead(service, standard.SERVICES))
        compiled = compile_mapping(
            without_omit(merged.data),
            file=file,
            places=merged.places,
            schemas=self._schemas.get(service, ()) if isinstance(service, str) else (),
            names=names,
        )
        self.findings.extend(compiled.findings)
        if compiled.mapping is None:
            return None
        self._check_records(compiled.mapping, merged)
        return compiled.mapping, merged

    def _check_records(self, mapping: CompiledMapping, merged: Doc) -> None:
        name = mapping.connector
        if not name:
            return
        if name not in self.registry.names:
            remedy = instead(name, self.registry.names, what="installed are")
            message = f"there is no connector `{name}`"
            self._find(merged, ("connector",), "unknown_connector", message, remedy)
            return
        try:
            connector = self.registry.get(name)
        except HubError as error:
            self._find(merged, ("connector",), "broken_connector", str(error), "mend or reinstall its package")
            return
        self.findings.extend(check_records(mapping, connector, merged.places))

    def _fits(
        self, doc: Doc, mapping: CompiledMapping, merged: Doc, destination: Destination, service: str, path: Path
    ) -> None:
        if mapping.service and mapping.service != service:
            message = f"the mapping {mapping.file} is for `{mapping.service}`, not `{service}`"
            self._find(doc, (*path, "mapping"), "wrong_service", message, "name a mapping of this service")
        if mapping.connector and mapping.connector != destination.connector:
            message = f"the mapping {mapping.file} speaks to `{mapping.connector}`, `{destination.name}` is"
            remedy = "send it to another destination, or name another mapping"
            message = f"{message} `{destination.connector}`"
            self._find(doc, (*path, "mapping"), "wrong_connector", message, remedy)

    def _needs(
        self, draft: _Draft, mapping: CompiledMapping, tables: Mapping[str, Any], given: Mapping[str, Any], path: Path
    ) -> None:
        doc = draft.doc
        for name, need in mapping.needs.items():
            if name not in tables:
                message = f"the mapping needs `{name}`" + (f": {need.help}" if need.help else "")
                self._find(doc, path, "unfilled_need", message, f"add `with: {{{name}: …}}`")
                continue
            self._entries(doc, name, need.keys, tables[name], self._given_at(draft, name, given, path))
        for name in given:
            if name not in mapping.needs and name not in mapping.used:
                remedy = instead(name, mapping.needs, what="it needs")
                place = doc.places.key((*path, "with", name))
                message = f"nothing in {mapping.file} uses `{name}`"
                self.findings.append(Finding.at(place, "unknown_need", message, remedy))

    def _given_at(self, draft: _Draft, name: str, given: Mapping[str, Any], path: Path) -> Path:
        if name in given:
            return (*path, "with", name)
        return ("tables", name) if name in draft.tables else path

    def _entries(self, doc: Doc, name: str, keys: tuple[str, ...], table: Any, path: Path) -> None:
        """Every value of the contract should have an entry, and every entry should be one of its values."""
        if not keys:
            return
        if not isinstance(table, Table | dict):
            if table is not None:
                message = f"`{name}` is a table: an entry for each of {', '.join(keys[:5])} …"
                self._find(doc, path, "wrong_type", message, "write `{code: value}`, or name a CSV file")
            return
        rows = table.rows if isinstance(table, Table) else table
        lacking = [key for key in keys if key not in rows]
        if lacking and not (isinstance(table, Table) and table.on_missing is OnMissing.DEFAULT):
            message = f"`{name}` has no entry for {', '.join(lacking)}"
            remedy = "add them, or `on_missing: default`; until then such a submission waits for a person"
            place = doc.places.key(path)
            self.findings.append(Finding.at(place, "missing_entry", message, remedy, severity=Severity.WARNING))
        for key in rows:
            if key not in keys:
                self._strange_entry(doc, name, key, keys, table, path)

    def _strange_entry(
        self, doc: Doc, name: str, key: str, keys: tuple[str, ...], table: Any, path: Path
    ) -> None:
        message = f"`{key}` in `{name}` is no value of the contract"
        remedy = instead(key, keys)
        inline = not isinstance(table, Table) or table.file == doc.file
        severity = Severity.ERROR if inline else Severity.WARNING
        place = doc.places.key((*path, key))
        if isinstance(table, Table) and not inline:
            place = Place(file=table.file, line=table.lines.get(key, 1))
        elif (*path, "table", key) in doc.places.keys:
            place = doc.places.key((*path, "table", key))
        self.findings.append(Finding.at(place, "wrong_enum", message, remedy, severity=severity))

    def _columns(self, draft: _Draft, mapping: CompiledMapping, tables: Mapping[str, Any], path: Path) -> None:
        """What is looked up must be a table here."""
        for _, name, _ in mapping.looked_up:
            value = tables.get(name)
            if value is not None and not isinstance(value, Table | dict) and not mapping.needs.get(name):
                message = f"{mapping.file} looks codes up in `{name}`, which is no table"
                self._find(draft.doc, (*path, "with", name), "wrong_type", message, "write `{code: value}`")

    def _unused_mappings(self) -> None:
        """Mappings that no route reached are checked all the same."""
        for file in self.files:
            parts = file.split("/")
            shared = parts[0] == "patterns" and parts[1:2] != ["intake"]
            own = len(parts) == 2 and parts[0] != "patterns" and parts[1] != "council.yaml"
            if file.endswith(".yaml") and (shared or own) and file not in self.library.used:
                self._compile(file)

    def _unique(self, council: Council, others: Mapping[str, Council]) -> None:
        for other in others.values():
            if council.gss and council.gss == other.gss:
                doc = self.library.doc(f"{council.slug}/council.yaml")
                assert doc is not None
                message = f"`{other.slug}` has the same GSS code"
                self._find(doc, ("gss",), "duplicate_council", message, "each council has its own")

    def _try(self, councils: Councils) -> None:
        for council in councils:
            for service in sorted(council.services):
                self.findings.extend(check_examples(council, service))
                if not case_files(self.library, council.slug, service):
                    route = council.routes_for(service)[0]
                    place = Place(file=route.file, line=route.line)
                    message = f"no case shows what `{service}` becomes"
                    remedy = f"write {council.slug}/cases/{service}/….yaml with `given:` and `expect:`"
                    self.findings.append(Finding.at(place, "no_case", message, remedy, severity=Severity.WARNING))
            for file in case_files(self.library, council.slug):
                self.findings.extend(run_case(self.library, council, file).problems)

    def _list(self, doc: Doc, key: str) -> list[Any]:
        value = doc.data.get(key, [])
        if not isinstance(value, list):
            self._find(doc, (key,), "wrong_type", f"`{key}` is a list", "begin each with `- `")
            return []
        return value

    def _known(self, doc: Doc, value: Mapping[str, Any], known: tuple[str, ...], path: Path, what: str) -> None:
        for key in value:
            if key not in known:
                place = doc.places.key((*path, key))
                self.findings.append(Finding.at(place, "unknown_key", f"{what} has no `{key}`", instead(key, known)))

    def _find(self, doc: Doc, path: Path, code: str, message: str, remedy: str) -> None:
        place = doc.places.key(path) if code == "missing_key" else doc.places.of(path)
        self.findings.append(Finding.at(place, code, message, remedy))


__all__ = [
    "CALENDARS",
    "CaseResult",
    "Council",
    "Councils",
    "Destination",
    "Finding",
    "Loaded",
    "Preview",
    "Route",
    "Severity",
    "load",
    "preview",
    "read_tree",
    "run_cases",
]

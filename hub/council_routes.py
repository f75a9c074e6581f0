"""Routes as council.yaml states them: where they lead, on what condition, with which mapping and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub import standard
from hub.core.compiling import compile_condition
from hub.core.findings import Finding, Place, Severity, instead
from hub.core.mapping import CompiledMapping, Condition
from hub.core.scope import optional_paths, tested_paths
from hub.core.tables import OnMissing, Table
from hub.core.tree import Path
from hub.council import Destination, Route
from hub.council_files import Doc
from hub.council_mappings import Mappings, schemas_of
from hub.council_records import check_records
from hub.council_tables import TableReader

_KEYS: Final = ("service", "to", "mapping", "name", "when", "with")


@dataclass(slots=True, kw_only=True)
class RouteReader:
    """Reads the routes of one council."""

    slug: str
    doc: Doc
    mappings: Mappings
    destinations: Mapping[str, Destination]
    findings: list[Finding] = field(default_factory=list)
    _shared: dict[str, Any] = field(default_factory=dict)  #: tables of the whole council
    _names: dict[str, int] = field(default_factory=dict)  #: routes by name, with their line

    def read(self, values: list[Any]) -> tuple[Route, ...]:
        """The routes that could be read, in the order of the file."""
        self._shared = self._tables("tables", self.doc.data.get("tables", {}), ("tables",))
        routes = [self._route(value, ("routes", at)) for at, value in enumerate(values)]
        return tuple(route for route in routes if route is not None)

    def _route(self, value: Any, path: Path) -> Route | None:
        if not isinstance(value, dict):
            self._find(path, "wrong_type", "a route is a map", "write `service:`, `to:` and `mapping:`")
            return None
        self._known(value, _KEYS, path, "a route")
        missing = [key for key in ("service", "to") if not isinstance(value.get(key), str)]
        missing += ["mapping"] * (not isinstance(value.get("mapping"), str | dict))
        for key in missing:
            self._find(path, "missing_key", f"a route without `{key}`", f"add `{key}:`")
        if missing:
            return None
        service, to = value["service"], value["to"]
        self._leads_somewhere(service, to, path)
        self._named(value, path)
        given = self._tables("with", value.get("with", {}), (*path, "with"))
        tables = self._shared | given
        destination = self.destinations.get(to)
        found = self._mapping(value["mapping"], service, destination, (*path, "mapping"), frozenset(tables))
        version = found[0].version if found is not None else 1
        when = self._when(value, path, schemas=schemas_of(service, version), names=frozenset(tables))
        if found is None or destination is None:
            return None
        mapping, merged = found
        self._fits(mapping, merged, destination, service, path)
        tables |= {
            name: need.default for name, need in mapping.needs.items() if need.has_default and name not in tables
        }
        self._needs(mapping, tables, given, path)
        self._columns(mapping, tables, path)
        self.findings.extend(optional_paths(mapping.optional, tested=tested_paths(when.rule) if when else frozenset()))
        return Route(
            name=str(value.get("name", f"{service}->{to}")),
            service=service,
            destination=destination,
            mapping=mapping,
            mapping_file=mapping.file,
            tables={name: self._ready(name, each) for name, each in tables.items()},
            when=when,
            file=self.doc.file,
            line=self.doc.places.of(path).line,
        )

    def _mapping(
        self, stated: Any, service: str, destination: Destination | None, path: Path, names: frozenset[str]
    ) -> tuple[CompiledMapping, Doc] | None:
        """The mapping that is named, or that stands here itself."""
        if isinstance(stated, str):
            return self.mappings.named(stated, at=self.doc, path=path, names=names)
        usual = {"service": service} | ({"connector": destination.connector} if destination is not None else {})
        return self.mappings.inline(at=self.doc, path=path, names=names, usual=usual)

    def _ready(self, name: str, value: Any) -> Any:
        """A need's default may be a table as well."""
        return Table(name=name, rows=value, lines={}) if isinstance(value, dict) else value

    def _leads_somewhere(self, service: str, to: str, path: Path) -> None:
        if service not in standard.SERVICES:
            remedy = instead(service, standard.SERVICES)
            self._find((*path, "service"), "unknown_service", f"there is no service `{service}`", remedy)
        stated = self.doc.data.get("destinations")
        known = list(stated) if isinstance(stated, dict) else []
        if to not in known:
            remedy = instead(to, known)
            self._find((*path, "to"), "unknown_destination", f"there is no destination `{to}`", remedy)

    def _named(self, value: Mapping[str, Any], path: Path) -> None:
        name = str(value.get("name", f"{value['service']}->{value['to']}"))
        at = (*path, "name") if "name" in value else path
        if name in self._names:
            message = f"two routes are named `{name}` (the first on line {self._names[name]})"
            self._find(at, "duplicate_route", message, "give one of them another `name:`")
        self._names.setdefault(name, self.doc.places.of(at).line)

    def _when(
        self, value: Mapping[str, Any], path: Path, *, schemas: tuple[Any, ...], names: frozenset[str]
    ) -> Condition | None:
        """A condition is in the words of the mapping that it leads to, and knows the tables that this one knows."""
        if "when" not in value:
            return None
        place = self.doc.places.of((*path, "when"))
        condition, findings = compile_condition(value["when"], place, schemas=schemas, names=names)
        self.findings.extend(findings)
        return condition

    def _tables(self, key: str, stated: Any, path: Path) -> dict[str, Any]:
        if not isinstance(stated, dict):
            self._find(path, "wrong_type", f"`{key}` is a map", "name each table or value")
            return {}
        files = self.mappings.library.files
        reader = TableReader(files=files, folder=self.slug, places=self.doc.places, findings=self.findings)
        return {name: reader.read(name, value, (*path, name)) for name, value in stated.items()}

    def _fits(self, mapping: CompiledMapping, merged: Doc, destination: Destination, service: str, path: Path) -> None:
        if mapping.service and mapping.service != service:
            message = f"the mapping {mapping.file} is for `{mapping.service}`, not `{service}`"
            self._find((*path, "mapping", "service"), "wrong_service", message, "name a mapping of this service")
        if mapping.connector and mapping.connector != destination.connector:
            message = f"the mapping {mapping.file} speaks to `{mapping.connector}`, `{destination.name}` is"
            remedy = "send it to another destination, or name another mapping"
            message = f"{message} `{destination.connector}`"
            self._find((*path, "mapping", "connector"), "wrong_connector", message, remedy)
        elif hasattr(destination.connector_class, "configured"):
            # Another destination of this connector may allow more, so here it is held against this one.
            self.findings.extend(check_records(mapping, destination.connector_class, merged.places))

    def _needs(self, mapping: CompiledMapping, tables: Mapping[str, Any], given: Mapping[str, Any], path: Path) -> None:
        for name, need in mapping.needs.items():
            if name not in tables:
                message = f"the mapping needs `{name}`" + (f": {need.help}" if need.help else "")
                self._find(path, "unfilled_need", message, f"add `with: {{{name}: …}}`")
                continue
            self._entries(name, need.keys, tables[name], self._given_at(name, given, path))
        for name in given:
            if name not in mapping.needs and name not in mapping.used:
                remedy = instead(name, mapping.needs, what="it needs")
                place = self.doc.places.key((*path, "with", name))
                message = f"nothing in {mapping.file} uses `{name}`"
                self.findings.append(Finding.at(place, "unknown_need", message, remedy))

    def _given_at(self, name: str, given: Mapping[str, Any], path: Path) -> Path:
        if name in given:
            return (*path, "with", name)
        return ("tables", name) if name in self._shared else path

    def _entries(self, name: str, keys: tuple[str, ...], table: Any, path: Path) -> None:
        """Every value of the contract should have an entry, and every entry should be one of its values."""
        if not keys:
            return
        if not isinstance(table, Table | dict):
            if table is not None:
                message = f"`{name}` is a table: an entry for each of {', '.join(keys[:5])} …"
                self._find(path, "wrong_type", message, "write `{code: value}`, or name a CSV file")
            return
        rows = table.rows if isinstance(table, Table) else table
        lacking = [key for key in keys if key not in rows]
        if lacking and not (isinstance(table, Table) and table.on_missing is OnMissing.DEFAULT):
            message = f"`{name}` has no entry for {', '.join(lacking)}"
            remedy = "add them, or `on_missing: default`; until then such a submission waits for a person"
            place = self.doc.places.key(path)
            self.findings.append(Finding.at(place, "missing_entry", message, remedy, severity=Severity.WARNING))
        for key in rows:
            if key not in keys:
                self._strange_entry(name, key, keys, table, path)

    def _strange_entry(self, name: str, key: str, keys: tuple[str, ...], table: Any, path: Path) -> None:
        message = f"`{key}` in `{name}` is no value of the contract"
        remedy = instead(key, keys)
        inline = not isinstance(table, Table) or table.file == self.doc.file
        severity = Severity.ERROR if inline else Severity.WARNING
        place = self.doc.places.key((*path, key))
        if isinstance(table, Table) and not inline:
            place = Place(file=table.file, line=table.lines.get(key, 1))
        elif (*path, "table", key) in self.doc.places.keys:
            place = self.doc.places.key((*path, "table", key))
        self.findings.append(Finding.at(place, "wrong_enum", message, remedy, severity=severity))

    def _columns(self, mapping: CompiledMapping, tables: Mapping[str, Any], path: Path) -> None:
        """What is looked up must be a table here."""
        for _, name, _ in mapping.looked_up:
            value = tables.get(name)
            if value is not None and not isinstance(value, Table | dict) and not mapping.needs.get(name):
                message = f"{mapping.file} looks codes up in `{name}`, which is no table"
                self._find((*path, "with", name), "wrong_type", message, "write `{code: value}`")

    def _known(self, value: Mapping[str, Any], known: tuple[str, ...], path: Path, what: str) -> None:
        for key in value:
            if key not in known:
                place = self.doc.places.key((*path, key))
                self.findings.append(Finding.at(place, "unknown_key", f"{what} has no `{key}`", instead(key, known)))

    def _find(self, path: Path, code: str, message: str, remedy: str) -> None:
        place = self.doc.places.key(path) if code == "missing_key" else self.doc.places.of(path)
        self.findings.append(Finding.at(place, code, message, remedy))

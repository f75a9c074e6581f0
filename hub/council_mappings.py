"""The mapping that a route names: found, compiled once for all who use it, and held against its connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hub import standard
from hub.core.compiling import compile_mapping
from hub.core.findings import Finding, Severity, instead
from hub.core.mapping import CompiledMapping
from hub.core.paths import Schema
from hub.core.tree import Path
from hub.council_files import PATTERNS, Doc, Library, part, without_omit
from hub.council_records import check_records
from hub.council_shelf import Shelf
from hub.errors import HubError
from hub.registry import Registry


def schemas_of(service: Any, version: Any = 1) -> tuple[Schema, ...]:
    """The contract in the version that a mapping is written for; none where there is no such service or version."""
    known = standard.SERVICES.get(service) if isinstance(service, str) else None
    if known is None or type(version) is not int or version not in known.versions:
        return ()
    return (known.schema(version),)


@dataclass(slots=True, kw_only=True)
class Mappings:
    """Compiles each mapping file once, however many councils use it."""

    library: Library
    registry: Registry
    shelf: Shelf
    findings: list[Finding] = field(default_factory=list)
    _unused: str = ""  #: a mapping that is checked though no route names it
    _compiled: dict[tuple[str, frozenset[str]], tuple[CompiledMapping, Doc] | None] = field(default_factory=dict)

    def named(self, name: str, *, at: Doc, path: Path, names: frozenset[str]) -> tuple[CompiledMapping, Doc] | None:
        """The compiled mapping; the same pattern is compiled once for all councils that use it alike."""
        file = self.library.locate(name, near=at.file)
        if file not in self.library.files:
            beside = self._beside(at.file)
            remedy = instead(name, beside if name.endswith(".yaml") else self.library.patterns())
            self._find(at, path, "missing_mapping", f"there is no mapping {file}", remedy)
            return None
        return self._compile(file, names)

    def inline(
        self, *, at: Doc, path: Path, names: frozenset[str], usual: Mapping[str, str]
    ) -> tuple[CompiledMapping, Doc] | None:
        """The mapping that stands in council.yaml itself. `usual` is what its route says of it already."""
        merged = self.library.whole(part(at, path))
        if merged is None or not isinstance(merged.data, dict):
            return None
        return self._compiled_from(replace(merged, data={**usual, **merged.data}), names)

    def _beside(self, file: str) -> list[str]:
        start = file.rpartition("/")[0] + "/"
        return [each.removeprefix(start) for each in self.library.files if each.startswith(start)]

    def _compile(self, file: str, names: frozenset[str] = frozenset()) -> tuple[CompiledMapping, Doc] | None:
        key = (file, names)
        if key not in self._compiled:
            made: Callable[[], tuple[CompiledMapping, Doc] | None] = partial(self._compile_afresh, file, names)
            if file.startswith(f"{PATTERNS}/"):
                made = partial(self.shelf.get, (*key, file == self._unused), made, library=self.library)
            self._compiled[key] = made()
        return self._compiled[key]

    def _compile_afresh(self, file: str, names: frozenset[str]) -> tuple[CompiledMapping, Doc] | None:
        merged = self.library.mapping(file)
        if merged is None:
            return None
        if not isinstance(merged.data, dict):
            self._find(merged, (), "wrong_type", "a mapping is a map", "begin with `service: …`")
            return None
        return self._compiled_from(merged, names)

    def _compiled_from(self, merged: Doc, names: frozenset[str]) -> tuple[CompiledMapping, Doc] | None:
        service = merged.data.get("service")
        if isinstance(service, str) and service not in standard.SERVICES:
            message = f"there is no service `{service}`"
            self._find(merged, ("service",), "unknown_service", message, instead(service, standard.SERVICES))
        version = merged.data.get("version", 1)
        self._known_version(service, version, merged)
        compiled = compile_mapping(
            without_omit(merged.data),
            file=merged.file,
            places=merged.places,
            schemas=schemas_of(service, version),
            names=names,
        )
        self.findings.extend(compiled.findings)
        if compiled.mapping is None:
            return None
        self._check_records(compiled.mapping, merged)
        return compiled.mapping, merged

    def _known_version(self, service: Any, version: Any, merged: Doc) -> None:
        known = standard.SERVICES.get(service) if isinstance(service, str) else None
        if known is None or type(version) is not int or version in known.versions:
            return
        message = f"`{known.code}` has no version {version}"
        self._find(merged, ("version",), "unknown_version", message, f"there is {known.known_versions()}")

    def _check_records(self, mapping: CompiledMapping, merged: Doc) -> None:
        name = mapping.connector
        if not name:
            return
        if name not in self.registry.names:
            remedy = instead(name, self.registry.names, what="installed are")
            message = f"there is no connector `{name}`"
            # A pattern that came with the package and is not used needs no connector here.
            severity = Severity.WARNING if merged.file == self._unused else Severity.ERROR
            place = merged.places.of(("connector",))
            self.findings.append(Finding.at(place, "unknown_connector", message, remedy, severity=severity))
            return
        try:
            connector = self.registry.get(name)
        except HubError as error:
            self._find(merged, ("connector",), "broken_connector", str(error), "mend or reinstall its package")
            return
        self.findings.extend(check_records(mapping, connector, merged.places))

    def check_unused(self) -> None:
        """Mappings that no route reached are checked all the same."""
        for file in self.library.files:
            parts = file.split("/")
            shared = parts[0] == "patterns" and parts[1:2] != ["intake"]
            own = len(parts) == 2 and parts[0] != "patterns" and parts[1] != "council.yaml"
            if file.endswith(".yaml") and (shared or own) and file not in self.library.used:
                self._unused = file
                self._compile(file)

    def _find(self, doc: Doc, path: Path, code: str, message: str, remedy: str) -> None:
        place = doc.places.key(path) if code == "missing_key" else doc.places.of(path)
        self.findings.append(Finding.at(place, code, message, remedy))

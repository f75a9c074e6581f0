"""Profiles: front ends' own forms, found in a council's folder or among the shared patterns, and compiled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub import standard
from hub.core.findings import Finding, Place, Severity, instead
from hub.core.offer import told_apart
from hub.core.paths import Schema
from hub.core.profile import FORMATS, Profile
from hub.core.profiling import Profiling, unused_tables
from hub.core.tree import Path
from hub.council_files import PATTERNS, Doc, Library, without_omit
from hub.council_shelf import Shelf
from hub.council_tables import TableReader

FOLDER: Final = "intake"
LONGEST_NAME: Final = 64

Key = tuple[str, str]  #: a format and a profile's name


@dataclass(slots=True, kw_only=True)
class Profiles:
    """Reads profiles; a shared pattern is compiled once for all councils."""

    library: Library
    shelf: Shelf
    findings: list[Finding] = field(default_factory=list)
    _shared: Mapping[Key, Profile] | None = None

    def of_council(self, slug: str, services: Collection[str]) -> dict[Key, Profile]:
        """A council's own profiles, and the patterns of services that it takes and has no profile of its own for."""
        own: dict[Key, Profile] = {}
        firsts: dict[Key, str] = {}
        for file in self._files(f"{slug}/{FOLDER}/"):
            profile = self._read(file, folder=slug)
            if profile is None:
                continue
            key = (profile.format, profile.name)
            if key in own:
                message = f"`{profile.name}` is a profile for {profile.format} already, in {firsts[key]}"
                self._at(file, "duplicate_profile", message, "keep one of them, or rename its file")
                continue
            own[key], firsts[key] = profile, file
            if profile.service not in services:
                message = f"`{slug}` has no route for `{profile.service}`: what comes by this profile is parked"
                remedy = "add a route to council.yaml, or remove the profile"
                self._at(file, "no_route", message, remedy, severity=Severity.WARNING)
        fitting = {key: each for key, each in self.shared().items() if each.service in services}
        made = fitting | own
        self.findings.extend(told_apart({name: each for (format, name), each in made.items() if format == "open311"}))
        return made

    def shared(self) -> Mapping[Key, Profile]:
        """Every pattern of a front end's format, by format and service."""
        if self._shared is None:
            self._shared = self.shelf.get("profiles", self._patterns, library=self.library)
        return self._shared

    def _patterns(self) -> Mapping[Key, Profile]:
        found = (self._pattern(file) for file in self._files(f"{PATTERNS}/{FOLDER}/"))
        return {(each.format, each.name): each for each in found if each is not None}

    def _files(self, start: str) -> list[str]:
        return [file for file in self.library.files if file.startswith(start) and file.endswith(".yaml")]

    def _pattern(self, file: str) -> Profile | None:
        parts = file.removesuffix(".yaml").split("/")
        if len(parts) != 4:
            self._at(file, "stray_file", "a pattern of no format", f"move it to {PATTERNS}/{FOLDER}/<format>/")
            return None
        profile = self._read(file, folder=PATTERNS)
        if profile is None:
            return None
        if parts[2] != profile.format:
            self._at(file, "wrong_format", f"it is for `{profile.format}`", f"move it to {FOLDER}/{profile.format}/")
        if parts[3] != profile.service:
            message = f"a shared profile is named after its service, `{profile.service}`"
            self._at(file, "wrong_service", message, f"rename it to {profile.service}.yaml")
        return profile

    def _read(self, file: str, *, folder: str) -> Profile | None:
        merged = self.library.mapping(file)
        if merged is None:
            return None
        if not isinstance(merged.data, dict):
            self._find(merged, (), "wrong_type", "a profile is a map", "begin with `format: …`")
            return None
        doc = Doc(file=file, data=without_omit(merged.data), places=merged.places)
        name = file.removesuffix(".yaml").rpartition("/")[2]
        if not self._begins(doc, file, name):
            return None
        given = doc.data.get("with", {})
        profiling = Profiling(
            tree=doc.data,
            file=file,
            name=name,
            places=doc.places,
            schemas=_schemas(doc.data["service"]),
            tables=self._tables(doc, given, folder),
        )
        profile = profiling.compile()
        self.findings.extend(profiling.findings)
        if profile is not None and isinstance(given, dict):
            self.findings.extend(unused_tables(profile, given, doc.places))
        return profile

    def _begins(self, doc: Doc, file: str, name: str) -> bool:
        """Whether it says what it is for, and lies where that is looked for."""
        before = len(self.findings)
        for key, known in (("format", FORMATS), ("service", tuple(standard.SERVICES))):
            value = doc.data.get(key)
            if value is None:
                self._find(doc, (), "missing_key", f"a profile without `{key}`", f"say which: `{key}: …`")
            elif value not in known:
                remedy = instead(str(value), known)
                self._find(doc, (key,), f"unknown_{key}", f"there is no {key} `{value}`", remedy)
        if not name.isprintable() or len(name) > LONGEST_NAME:
            self._at(file, "bad_slug", "a profile's name has at most 64 printable characters", "rename the file")
        parts = file.split("/")
        if parts[0] != PATTERNS and (len(parts) > 4 or (len(parts) == 4 and parts[2] != doc.data.get("format"))):
            remedy = f"move it to {parts[0]}/{FOLDER}/, or to {parts[0]}/{FOLDER}/{doc.data.get('format')}/"
            self._at(file, "stray_file", "a profile in a folder that is not looked into", remedy)
        return len(self.findings) == before

    def _tables(self, doc: Doc, given: Any, folder: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            self._find(doc, ("with",), "wrong_type", "`with` is a map", "name each table or value")
            return {}
        reader = TableReader(files=self.library.files, folder=folder, places=doc.places, findings=self.findings)
        return {name: reader.read(name, value, ("with", name)) for name, value in given.items()}

    def _find(self, doc: Doc, path: Path, code: str, message: str, remedy: str) -> None:
        place = doc.places.key(path) if code == "missing_key" else doc.places.of(path)
        self.findings.append(Finding.at(place, code, message, remedy))

    def _at(self, file: str, code: str, message: str, remedy: str, *, severity: Severity = Severity.ERROR) -> None:
        self.findings.append(Finding.at(Place(file=file), code, message, remedy, severity=severity))


def _schemas(service: str) -> dict[int, Schema]:
    known = standard.SERVICES[service]
    return {version: known.schema(version) for version in known.versions}

"""Reads mappings/: councils, destinations, routes, tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.core.findings import Finding, Place, Severity, instead
from hub.core.tree import Path
from hub.council import Council, Councils, Destination, Route, Secrets
from hub.council_cases import CaseResult, Preview, case_files, check_examples, previews, run_case
from hub.council_destinations import DestinationReader
from hub.council_files import Doc, Library, read_tree
from hub.council_mappings import Mappings
from hub.council_profile_cases import is_of_profile, run_profile_case
from hub.council_profiles import Profiles
from hub.council_routes import RouteReader
from hub.council_shelf import shelf_of
from hub.errors import NotThere
from hub.registry import Registry

CALENDARS: Final = ("england-and-wales", "scotland", "northern-ireland")
_KEYS: Final = ("council", "slug", "gss", "calendar", "destinations", "tables", "routes")
_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_GSS: Final = re.compile(r"[EWSN]\d{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a tree of files: the councils (None where anything is wrong), and every finding."""

    councils: Councils | None
    findings: list[Finding]
    draft: Councils  #: whatever could be built, wrong or not; for `hub mappings test` and previews

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
        _run(library, council, file)
        for council in loaded.draft
        for file in case_files(library, council.slug)
        if not wanted or file == wanted or file.startswith(f"{wanted}/")
    ]


def _run(library: Library, council: Council, file: str) -> CaseResult:
    run = run_profile_case if is_of_profile(council.slug, file) else run_case
    return run(library, council, file)


def preview(
    councils: Councils, council: str, service: str, data: Mapping[str, Any], hub: Mapping[str, Any]
) -> list[Preview]:
    """Each delivery that a submission would become: its record or fault, and the trace. Raises NotThere."""
    found = councils.find(council)
    if service not in found.services:
        remedy = instead(service, found.services, what="it takes")
        raise NotThere(f"{found.slug} does not take `{service}`; {remedy}")
    return previews(found, service, data, hub)


class _Loader:
    def __init__(self, files: Mapping[str, str], *, registry: Registry, secrets: Secrets | None) -> None:
        self.registry = registry
        self.secrets = secrets
        self.findings: list[Finding] = []
        self.library = Library(files, self.findings)
        shelf = shelf_of(self.library, registry)
        self.mappings = Mappings(library=self.library, registry=registry, shelf=shelf, findings=self.findings)
        self.profiles = Profiles(library=self.library, shelf=shelf, findings=self.findings)

    def load(self, *, generation: int, cases: bool) -> Loaded:
        self.library.check_files()
        councils: dict[str, Council] = {}
        for slug in self.library.councils():
            council = self._council(slug)
            if council is not None:
                self._unique(council, councils)
                councils[slug] = council
        if cases:
            self.mappings.check_unused()
            self.profiles.shared()
        draft = Councils(councils, generation=generation)
        # Trying mappings that are known to be wrong would only say the same twice.
        if cases and not self._wrong():
            self._try(draft)
        findings = sorted(dict.fromkeys(self.findings), key=lambda each: (each.file, each.line, each.column))
        return Loaded(councils=None if self._wrong() else draft, findings=findings, draft=draft)

    def _wrong(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    def _council(self, slug: str) -> Council | None:
        file = f"{slug}/council.yaml"
        if file not in self.library.files:
            place = Place(file=file)
            self.findings.append(Finding.at(place, "missing_file", f"`{slug}` has no council.yaml", "write one"))
            return None
        doc = self.library.doc(file)
        if doc is None:
            return None
        if not isinstance(doc.data, dict):
            self._find(doc, (), "wrong_type", "council.yaml is a map", "begin with `council: …`")
            return None
        for key in doc.data:
            if key not in _KEYS:
                place = doc.places.key((key,))
                self.findings.append(Finding.at(place, "unknown_key", f"a council has no `{key}`", instead(key, _KEYS)))
        self._identity(slug, doc)
        destinations = self._destinations(slug, doc)
        reader = RouteReader(
            slug=slug, doc=doc, mappings=self.mappings, destinations=destinations, findings=self.findings
        )
        routes = reader.read(self._routes(doc))
        return Council(
            slug=slug,
            name=str(doc.data.get("council", slug)),
            gss=str(doc.data.get("gss", "")),
            calendar=str(doc.data.get("calendar", CALENDARS[0])),
            destinations=destinations,
            routes=routes,
            forms=self.profiles.of_council(slug, {route.service for route in routes}),
        )

    def _identity(self, slug: str, doc: Doc) -> None:
        data = doc.data
        for key in ("council", "slug", "gss"):
            if key not in data:
                self._find(doc, (), "missing_key", f"council.yaml without `{key}`", f"add `{key}:`")
        if not _SLUG.fullmatch(slug) or data.get("slug", slug) != slug:
            message = f"the slug must be the folder's name, `{slug}`, in small letters, digits and hyphens"
            self._find(doc, ("slug",), "bad_slug", message, f"write `slug: {slug}`, or rename the folder")
        if "gss" in data and not _GSS.fullmatch(str(data["gss"])):
            self._find(doc, ("gss",), "bad_gss", "a GSS code is a letter and eight digits", "write, say, E07000999")
        if data.get("calendar", CALENDARS[0]) not in CALENDARS:
            remedy = instead(str(data["calendar"]), CALENDARS)
            self._find(doc, ("calendar",), "wrong_enum", f"there is no calendar `{data['calendar']}`", remedy)

    def _destinations(self, slug: str, doc: Doc) -> dict[str, Destination]:
        stated = doc.data.get("destinations", {})
        if not isinstance(stated, dict):
            self._find(doc, ("destinations",), "wrong_type", "`destinations` is a map", "name each destination")
            return {}
        reader = DestinationReader(
            council=slug,
            places=doc.places,
            registry=self.registry,
            secrets=self.secrets,
            findings=self.findings,
        )
        made: dict[str, Destination] = {}
        for name, value in stated.items():
            if not _SLUG.fullmatch(name):
                message = f"`{name}` cannot name a destination"
                self._find(doc, ("destinations", name), "bad_slug", message, "use small letters, digits and hyphens")
            if (destination := reader.read(name, value)) is not None:
                made[name] = destination
        return made

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
            for profile in council.forms.values():
                own = profile.file.startswith(f"{council.slug}/")
                if own and not case_files(self.library, council.slug, f"intake/{profile.name}"):
                    message = f"no case shows what the form `{profile.name}` becomes"
                    remedy = f"write {council.slug}/cases/intake/{profile.name}/….yaml with `given:` and `expect:`"
                    place = Place(file=profile.file)
                    self.findings.append(Finding.at(place, "no_case", message, remedy, severity=Severity.WARNING))
            for file in case_files(self.library, council.slug):
                self.findings.extend(_run(self.library, council, file).problems)

    def _routes(self, doc: Doc) -> list[Any]:
        value = doc.data.get("routes", [])
        if not isinstance(value, list):
            self._find(doc, ("routes",), "wrong_type", "`routes` is a list", "begin each with `- `")
            return []
        return value

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

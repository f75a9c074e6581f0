"""Profiles tried over a council's cases: given this body of a front end, expect that submission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub import standard
from hub.core.findings import Finding, Place, instead
from hub.core.profile import FILLED_IN, Profile
from hub.core.sheets import READERS, Misshapen
from hub.council import Council
from hub.council_cases import TODAY, CaseResult, differences
from hub.council_files import Doc, Library
from hub.errors import HubError, Invalid, MappingFault

_CASE_KEYS: Final = ("about", "format", "given", "expect", "fault")
#: What every submission has unless it says otherwise; a case need not repeat it.
_USUAL: Final[dict[str, Any]] = {"channel": "web", "language": "en"}


def is_of_profile(council: str, file: str) -> bool:
    """Whether a case is of a profile: it lies in `cases/intake/<profile>/`."""
    return file.startswith(f"{council}/cases/intake/")


def run_profile_case(library: Library, council: Council, file: str) -> CaseResult:
    """Run one case file of a profile."""
    name = file.rpartition("/")[0].rpartition("/")[2]
    doc = library.doc(file)
    if doc is None:
        message = "the case cannot be read"
        unread = Finding.at(Place(file=file), "case", message, "mend the YAML; `hub check` says where")
        return CaseResult(file=file, council=council.slug, service=name, problems=(unread,))
    profile = _profile_for(council, name, doc)
    if isinstance(profile, Finding):
        return CaseResult(file=file, council=council.slug, service=name, problems=(profile,))
    return CaseResult(
        file=file, council=council.slug, service=profile.service, problems=tuple(_problems(doc, council, profile))
    )


def _profile_for(council: Council, name: str, doc: Doc) -> Profile | Finding:
    stated = doc.data.get("format") if isinstance(doc.data, dict) else None
    fitting = [each for key, each in council.forms.items() if key[1] == name and stated in (None, key[0])]
    own = [each for each in fitting if each.file.startswith(f"{council.slug}/")]
    found = own or fitting
    if len(found) == 1:
        return found[0]
    if found:
        formats = ", ".join(sorted(each.format for each in found))
        message = f"`{name}` is a profile in {formats}"
        return Finding.at(doc.places.of(()), "case", message, "say which: `format: …`")
    known = {key[1] for key in council.forms}
    return Finding.at(doc.places.of(()), "case", f"{council.slug} has no profile `{name}`", instead(name, known))


def _problems(doc: Doc, council: Council, profile: Profile) -> Iterator[Finding]:
    case = doc.data
    if not isinstance(case, dict) or "given" not in case:
        yield _at(doc, (), "missing_key", "a case without `given`", "write the body that the front end sends below it")
        return
    for key in case:
        if key not in _CASE_KEYS:
            remedy = instead(key, _CASE_KEYS)
            yield Finding.at(doc.places.key((key,)), "unknown_key", f"a case has no `{key}`", remedy)
    if ("expect" in case) == ("fault" in case):
        remedy = "write the submission below `expect:`"
        yield _at(doc, (), "missing_key", "a case has either `expect` or `fault`", remedy)
        return
    try:
        data, faults = _submission(profile, council, case["given"]), []
    except Invalid as error:
        data, faults = {}, [f"{profile.where(pointer)}: {said}" for pointer, said in error.faults]
    except (MappingFault, Misshapen) as error:
        data, faults = {}, [str(error)]
    except HubError as error:
        yield _at(doc, ("given",), "case", str(error), "mend the body")
        return
    yield from _judged(doc, case, data, faults)


def _submission(profile: Profile, council: Council, given: Any) -> dict[str, Any]:
    sheet = READERS[profile.format](given)
    mapped = profile.submission(sheet.answers, sheet.form, council=council.slug)
    data = standard.without_derived(standard.read_data(mapped.data, today=TODAY).data)
    return {key: value for key, value in data.items() if key not in FILLED_IN}


def _judged(doc: Doc, case: Mapping[str, Any], data: dict[str, Any], faults: list[str]) -> Iterator[Finding]:
    if "fault" in case:
        wanted = str(case["fault"])
        if not any(wanted in fault for fault in faults):
            message = f"it did not fail with `{wanted}`; {'; '.join(faults) or 'all went well'}"
            yield _at(doc, ("fault",), "case", message, "mend the profile or the case")
        return
    for fault in faults:
        yield _at(doc, ("expect",), "case", fault, "mend the profile or the case")
    if faults:
        return
    expected = case["expect"] if isinstance(case["expect"], dict) else {}
    usual = {key: value for key, value in _USUAL.items() if key not in expected}
    made = {key: value for key, value in data.items() if key not in usual or usual[key] != value}
    for below, why in differences(made, case["expect"]):
        name = ".".join(str(step) for step in below) or "the submission"
        yield _at(doc, ("expect", *below), "case", f"{name}: {why}", "mend the profile or the case")


def _at(doc: Doc, path: tuple[str | int, ...], code: str, message: str, remedy: str) -> Finding:
    return Finding.at(doc.places.of(path), code, message, remedy)

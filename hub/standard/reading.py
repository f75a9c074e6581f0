"""The one door for submissions: bytes in; model, data and warnings out, or every fault at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from hub.errors import Invalid, NotThere
from hub.model import Warning
from hub.standard.catalogue import SERVICES
from hub.standard.cleaning import clean, level, suspicious
from hub.standard.envelope import Envelope
from hub.standard.faults import faults_of, too_long
from hub.standard.fields import Str64
from hub.standard.labels import required
from hub.standard.parsing import Unreadable, decode, in_order, parse_text
from hub.standard.part import Part, parts_of
from hub.standard.phones import e164
from hub.standard.pointers import Loc
from hub.standard.service import Service
from hub.standard.versions import Data

_UNDIALLED = "This does not look like a number that can be dialled; it is kept as typed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A submission that keeps its contract."""

    service: Service
    submission: Envelope
    data: dict[str, Any]  #: plain JSON: absent fields absent, defaults filled, identifiers normalised
    warnings: list[Warning]
    sent: dict[str, Any]  #: what was sent, parsed and otherwise untouched

    @property
    def digest_input(self) -> bytes:
        """What was sent, in one canonical form, for fingerprints."""
        return to_json(in_order(self.sent))


class _ServiceUnsaid(Envelope):
    """Reads what can be read of a submission that does not say its service."""

    service: Str64 = required("Service", "Gwasanaeth", example="missed-bin")
    details: dict[str, Any] = required("Details", "Manylion", example={})


def read(raw: bytes, *, today: date) -> Read:
    """Read one submission as it was sent; `today` is the London date of receipt.

    Raises `Unreadable` for what is not JSON (400), `NotThere` for a service
    that does not exist (404), `Invalid` with every fault of shape (422).
    """
    text = decode(raw)
    return _read(text, today=today)


def read_data(data: object, *, today: date) -> Read:
    """As `read`, for a submission that is parsed already: of a batch, or made by an intake profile.

    Kept data that was edited goes through `without_derived` first.
    """
    try:
        text = json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = None
    if text is None:
        raise Unreadable("The data holds what JSON cannot say; use text, numbers, true, false, lists and objects.")
    return _read(text, today=today)


def _read(text: str, *, today: date) -> Read:
    tree = sent = parse_text(text)
    if not isinstance(sent, dict):
        raise Unreadable("The body is not a JSON object; send one submission in { }.")
    warnings: list[Warning] = []
    if suspicious(text):
        tree, warnings = clean(sent)
        text = json.dumps(tree)
    service, model = _contract(tree)
    submission = _validated(model, text)
    if isinstance(submission, ValidationError):
        raise Invalid(faults_of(submission, model=model, sent=tree, remedies=_remedies(service)))
    if warnings and (long := _too_long(model, sent)):
        raise Invalid(long)
    data = submission.model_dump(mode="json", exclude_none=True)
    warnings += submission.remarks(today=today)
    warnings += _dial(data)
    return Read(
        service=SERVICES[submission.service],
        submission=submission,
        data=data,
        warnings=warnings,
        sent=sent,
    )


def _too_long(model: type[Envelope], sent: dict[str, Any]) -> list[tuple[str, str]]:
    """A text is measured as it was sent, as whoever checks by the schema measures it."""
    measured = _validated(model, json.dumps(level(sent)))
    return too_long(measured, model=model) if isinstance(measured, ValidationError) else []


def _validated(model: type[Envelope], text: str) -> Envelope | ValidationError:
    # Returned, not raised: as the cause of another exception it would carry the body.
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        return error


def _contract(tree: dict[str, Any]) -> tuple[Service | None, type[Envelope]]:
    """The contract that a submission names; for a version that there is not, the likeliest, to find other faults by."""
    code, version = tree.get("service"), tree.get("version")
    if not isinstance(code, str):
        return None, _ServiceUnsaid
    service = SERVICES.get(code)
    if service is None:
        raise NotThere(f"There is no such service; there are {', '.join(SERVICES)}.")
    return service, service.versions[_likeliest(version, service)]


def _likeliest(version: object, service: Service) -> int:
    """The version that is named; the one that was probably meant by `"1"`; else the newest."""
    # `type`, for to Python `true` is the number 1.
    if type(version) is int and version in service.versions:
        return version
    meant = [known for known in service.versions if version in (str(known), float(known))]
    return meant[0] if meant else max(service.versions)


def _remedies(service: Service | None) -> dict[Loc, str]:
    if service is None:
        return {("service",): f"Send one of: {', '.join(SERVICES)}."}
    return {("version",): f"Send a version that there is: {service.known_versions()}."}


def _dial(data: dict[str, Any]) -> list[Warning]:
    """Adds `phone_e164` where the number can be dialled."""
    contact = data.get("contact")
    if not contact or "phone" not in contact:
        return []
    dialled = e164(contact["phone"])
    if dialled is None:
        return [Warning(pointer="#/contact/phone", message=_UNDIALLED)]
    contact["phone_e164"] = dialled
    return []


def in_version(data: Data, version: int) -> Data:
    """A submission's data in the words of another version of its contract; itself where it speaks that already.

    What is not of the contract (`hub`) stays. Raises `NotThere` for a version
    that there is not.
    """
    if data.get("version", version) == version:
        return data
    return SERVICES[data["service"]].in_version(data, version)


def without_derived(data: dict[str, Any]) -> dict[str, Any]:
    """The data without what the hub added to it, as a front end could have sent it."""
    return _without_derived(data, Envelope)


def _without_derived(value: dict[str, Any], model: type[Part]) -> dict[str, Any]:
    parts = parts_of(model)
    return {
        name: _without_derived(inner, parts[name]) if name in parts and isinstance(inner, dict) else inner
        for name, inner in value.items()
        if name not in model.derived
    }

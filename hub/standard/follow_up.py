"""What is said of a case afterwards: a comment, a cancellation, more evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic_core import ValidationError, to_json

from hub.errors import Invalid
from hub.model import Warning
from hub.standard.attachment import Attachment
from hub.standard.cleaning import clean, level
from hub.standard.contact import Contact
from hub.standard.extra import Extra
from hub.standard.faults import faults_of, too_long
from hub.standard.fields import Maybe, Str120, Str4000, Timestamp
from hub.standard.labels import Personal, optional, required
from hub.standard.parsing import Unreadable, in_order, parse
from hub.standard.part import Part
from hub.standard.rules import Needs, OnlyWhen, Rule, When


class FollowUpKind(StrEnum):
    COMMENT = "comment"  #: words for whoever works on it
    CANCEL = "cancel"  #: it is wanted no more
    EVIDENCE = "evidence"  #: files that belong to it, with or without words


Files = Annotated[list[Attachment], Field(min_length=1, max_length=10)]


class FollowUp(Part):
    """Said by the front end that sent the case in, to every system that has it."""

    kind: FollowUpKind = required("Kind", "Math", example="comment")
    text: Maybe[Str4000] = optional("Text", "Testun", example="It is still there.", personal=Personal.YES)
    attachments: Maybe[Files] = optional(
        "Attachments", "Atodiadau", example=[{"id": "0199f6f0-5a4b-7c3d-9e8f-0a1b2c3d4e5f"}]
    )
    contact: Maybe[Contact] = optional(
        "Who says it, if somebody else", "Pwy sy'n dweud hynny, os rhywun arall", example={"full_name": "Sam Example"}
    )
    front_end_reference: Maybe[Str120] = optional("Reference", "Cyfeirnod", example="NB-2026-00042-1")
    submitted_at: Maybe[Timestamp] = optional("Submitted at", "Amser cyflwyno", example="2026-03-10T09:00:00Z")
    extra: Maybe[Extra] = optional(
        "Other answers", "Atebion eraill", example={"happened_again": "yes"}, personal=Personal.YES
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        When("kind", ("comment",), (Needs("text", "Add `text`: a comment says something."),)),
        When("kind", ("evidence",), (Needs("attachments", "Add `attachments`: evidence is files."),)),
        OnlyWhen("attachments", of="kind", among=("comment", "evidence")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFollowUp:
    """A follow-up that keeps its contract."""

    kind: FollowUpKind
    data: dict[str, Any]  #: plain JSON: absent fields absent
    warnings: list[Warning]
    digest_input: bytes  #: what was sent, in one canonical form, for fingerprints


def read_follow_up(raw: bytes, *, today: date) -> ReadFollowUp:
    """Read one as it was sent. Raises `Unreadable` (400), or `Invalid` with every fault of shape at once (422)."""
    sent = parse(raw)
    if not isinstance(sent, dict):
        raise Unreadable("The body is not a JSON object; send one follow-up in { }.")
    tree, warnings = clean(sent)
    found = _validated(tree)
    if isinstance(found, ValidationError):
        raise Invalid(faults_of(found, model=FollowUp, sent=tree, remedies={}), _NOT_OF_ITS_FORM)
    if warnings and (long := _too_long(sent)):
        raise Invalid(long, _NOT_OF_ITS_FORM)
    if found.contact is not None:
        warnings += found.contact.remarks(today=today)
    data = found.model_dump(mode="json", exclude_none=True)
    return ReadFollowUp(kind=found.kind, data=data, warnings=warnings, digest_input=to_json(in_order(sent)))


_NOT_OF_ITS_FORM = "The follow-up is not of the contract's form; every fault is listed."


def _too_long(sent: dict[str, Any]) -> list[tuple[str, str]]:
    measured = _validated(level(sent))
    return too_long(measured, model=FollowUp) if isinstance(measured, ValidationError) else []


def _validated(tree: dict[str, Any]) -> FollowUp | ValidationError:
    # Returned, not raised: as the cause of another exception it would carry the body.
    try:
        return FollowUp.model_validate_json(to_json(tree))
    except ValidationError as error:
        return error

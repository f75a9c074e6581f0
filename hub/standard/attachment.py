"""A photo or document: by the id of one uploaded before, or inside the submission."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from hub.model import Warning
from hub.standard.fields import Base64, FileName, Maybe, MediaType, Str64, Str200
from hub.standard.labels import Personal, optional
from hub.standard.part import Part
from hub.standard.rules import OneShape, Rule


class Attachment(Part):
    """Either `{id}`, or `{name, media_type, content_base64}` of at most 1 MiB."""

    id: Maybe[Str64] = optional(
        "Attachment id",
        "Dynodydd yr atodiad",
        example="0199f6f0-5a4b-7c3d-9e8f-0a1b2c3d4e5f",
        about="From POST /v1/attachments, within 24 hours.",
    )
    name: Maybe[FileName] = optional("File name", "Enw'r ffeil", example="bin.jpg", personal=Personal.YES)
    media_type: Maybe[MediaType] = optional("Media type", "Math o gyfrwng", example="image/jpeg")
    content_base64: Maybe[Base64] = optional(
        "Content (base64)", "Cynnwys (base64)", example="aGVsbG8=", personal=Personal.YES
    )

    rules: ClassVar[tuple[Rule, ...]] = (OneShape((("id",), ("name", "media_type", "content_base64"))),)


#: The smallest real picture, for examples: files are looked into, and should be what they are said to be.
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

#: Which of the submission's `attachments` are meant, each by its `id` or by its `name`.
Refs = Annotated[list[Str200], Field(max_length=10)]


def unattached(where: str, refs: Sequence[str] | None, attachments: Sequence[Attachment] | None) -> list[Warning]:
    """For refs to what is not among `attachments`: taken, but only what stands there is kept and sent on."""
    there = {name for file in attachments or () for name in (file.id, file.name)}
    do = "This names none of the `attachments`; send the file there, and its `id` or `name` here."
    return [Warning(pointer=f"{where}/{place}", message=do) for place, ref in enumerate(refs or ()) if ref not in there]

"""A photo or document: by the id of one uploaded before, or inside the submission."""

from __future__ import annotations

from typing import ClassVar

from hub.standard.fields import Base64, FileName, Maybe, MediaType, Str64
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

"""What a council fills in to be told by a signed post."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connectors.webhook.signing import key_of


def _usable(secret: SecretStr) -> SecretStr:
    key_of(secret.get_secret_value())
    return secret


class WebhookSettings(BaseModel):
    """Where to post, and how the receiver knows that it was us."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "url": "https://council.example/hooks/requests",
                    "secrets": ["whsec_Y29uZm9ybWFuY2Utc2VjcmV0LW9mLXRoZS1odWI="],
                    "deduplicates": True,
                    "reference": "/data/id",
                },
                {
                    "url": "https://council.example/silent/hook",
                    "secrets": [
                        "whsec_YW5vdGhlci1zZWNyZXQtd2hpbGUtdGhleS1jaGFuZ2U=",
                        "whsec_Y29uZm9ybWFuY2Utc2VjcmV0LW9mLXRoZS1odWI=",
                    ],
                },
            ]
        },
    )

    url: Annotated[str, Field(pattern=r"^https?://\S+$", description="Where every record is posted")]
    secrets: Annotated[
        list[Annotated[SecretStr, AfterValidator(_usable)]],
        Field(
            min_length=1, max_length=4, description="`whsec_…`, by reference; two while the receiver changes its own"
        ),
    ]
    deduplicates: Annotated[
        bool,
        Field(description="Whether the receiver takes a webhook-id once, as the standard asks; try it, then say so"),
    ] = False
    reference: Annotated[
        str | None,
        Field(
            pattern=r"^(/.*)?$", description="JSON pointer to the case's number in the answer; else ours stands for it"
        ),
    ] = None
    attachments: Annotated[
        Literal["send", "leave"], Field(description="Whether files are posted too, each by itself as base64")
    ] = "send"

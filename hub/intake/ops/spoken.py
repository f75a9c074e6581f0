"""What a person says with a verb: small JSON bodies, each of one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hub.errors import Invalid
from hub.intake.limits import read_body
from hub.intake.problems import faults_of

MOST = 64 * 1024

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$"),
    Field(description="Why, for the audit. Name no resident."),
]

Number = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Replay(Said):
    """Queue it again: same delivery, same reference, new attempt."""

    reason: Reason | None = None
    new_case: Literal[True] | None = Field(
        default=None, description="Of a delivered one: make a second case on purpose; needs a reason."
    )


class Because(Said):
    reason: Reason


class Resolve(Said):
    """What became of an unclear one, after looking in the council's system."""

    outcome: Literal["delivered", "not_there", "discard"]
    reason: Reason
    reference: Number | None = Field(default=None, description="The council's own, as found there.")


M = TypeVar("M", bound=Said)


async def said(request: Request, model: type[M], *, context: dict[str, Any] | None = None) -> M:
    """The body of a verb; an empty one says nothing. Raises Invalid with every fault at once."""
    raw = await read_body(request.scope, request.receive, cap=MOST)
    try:
        return model.model_validate_json(raw or b"{}", context=context)
    except ValidationError as failure:
        found = faults_of(failure.errors(include_input=False, include_url=False, include_context=False), root="#")
    raise Invalid(found, "The body of this verb is not of its form; every fault is listed.")


def body_of(model: type[Said], example: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """How a verb's body is described in OpenAPI."""
    schema = model.model_json_schema()
    content = {"schema": _whole(schema, schema.pop("$defs", {})), "example": example}
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def _whole(node: Any, inner: Mapping[str, Any]) -> Any:
    """The same schema with its parts in place of the references to them, which would lead out of the body."""
    if isinstance(node, dict):
        named = node.get("$ref")
        if isinstance(named, str):
            return _whole(inner[named.removeprefix("#/$defs/")], inner)
        return {key: _whole(value, inner) for key, value in node.items()}
    return [_whole(one, inner) for one in node] if isinstance(node, list) else node

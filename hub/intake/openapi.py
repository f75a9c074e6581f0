"""The description of this API that programs read: complete, with examples that are valid today."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import compile_path

from hub import __version__
from hub.intake.deps import Room
from hub.intake.open311 import describing
from hub.intake.problems import KINDS, MEDIA_TYPE, Problem
from hub.intake.shapes import ProblemBody
from hub.intake.taking import LONDON
from hub.standard import SERVICES
from hub.standard.follow_up import FollowUp
from hub.standard.schema import schema_of

_ABOUT = """
Council Hub takes a resident's request from a shared front end, carries it to the council system that must act on it,
and says where it is.

**To publish**: `POST /v1/submissions` with the key of your front end and, so that a repeat is harmless, an
`Idempotency-Key`. A 202 means that nothing can lose it any more. Follow it at the address in `Location`.

**When it says no**: every answer that is not a yes is `application/problem+json` (RFC 9457). `code` is stable, `detail`
says what to do next, `errors` lists every fault of the body at once. Each code is explained at `/problems/{code}`.

**Lists** answer `{"items": [...], "next": cursor}`; pass `next` back as `cursor`, or follow `Link: rel=next`.
""".strip()

_TAGS = [
    {"name": "publishing", "description": "For front ends: take one in, say where it is."},
    {"name": "contracts", "description": "Which services there are and which councils take them. No key is needed."},
    {"name": "ops", "description": "For staff: what is stuck, why, and the verbs that move it."},
    {
        "name": "forms",
        "description": "For front ends that cannot be changed: their own bodies in, their own answers out. "
        "What cannot be mapped is kept for staff, and its reference stays the same once it is mended.",
    },
    {"name": "machine", "description": "For monitoring."},
    describing.ABOUT,
]

_SCHEMES = {
    "front_end_key": {
        "type": "http",
        "scheme": "bearer",
        "description": "The key of a front end: `hub front-ends add NAME --councils … --services …`.",
    },
    "front_end_key_header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    **describing.SCHEMES,
    "user_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a member of staff: `hub users add NAME --role …`.",
    },
}

_SECURITY: Mapping[str, list[dict[str, list[str]]]] = {
    "publishing": [{"front_end_key": []}, {"front_end_key_header": []}],
    "forms": [{"front_end_key": []}, {"front_end_key_header": []}],
    "ops": [{"user_token": []}],
}

#: Which problems an operation of each kind may answer with.
_PROBLEMS = {
    "publishing": (401, 403, 404, 503),
    "forms": (),
    "contracts": (404,),
    "ops": (401, 403, 404, 503),
    "machine": (),
}


def add_to(app: FastAPI) -> None:
    app.title = "Council Hub"
    app.version = __version__
    app.state.described = None


@dataclass(frozen=True, slots=True)
class _Described:
    """The document of one day, and which methods each address of it takes."""

    day: date
    content: bytes
    addresses: Mapping[str, tuple[re.Pattern[str], frozenset[str]]]


def document(app: FastAPI) -> bytes:
    """The document as JSON, made anew each London day: its examples say when a bin was missed."""
    return _described(app).content


def methods_at(app: FastAPI, path: str) -> Collection[str]:
    """The methods that an address takes; none when there is no such address."""
    addresses = _described(app).addresses
    # `/v1/submissions/batch` is itself, and no submission of that name.
    if path in addresses:
        return addresses[path][1]
    return frozenset().union(*(methods for pattern, methods in addresses.values() if pattern.match(path)))


def _described(app: FastAPI) -> _Described:
    room: Room = app.state.room
    today = room.deps.clock().astimezone(LONDON).date()
    known: _Described | None = app.state.described
    if known is None or known.day != today:
        made = _describe(app, today)
        addresses = {
            path: (compile_path(path)[0], frozenset(method.upper() for method in operations))
            for path, operations in made["paths"].items()
        }
        known = _Described(today, json.dumps(made, ensure_ascii=False).encode(), addresses)
        app.state.described = known
    return known


def _describe(app: FastAPI, today: date) -> dict[str, Any]:
    room: Room = app.state.room
    described = get_openapi(
        title=app.title,
        version=app.version,
        description=_ABOUT,
        routes=app.routes,
        tags=_TAGS,
        servers=[{"url": room.base}] if room.base else None,
    )
    parts = described.setdefault("components", {})
    parts["securitySchemes"] = _SCHEMES
    schemas = parts.setdefault("schemas", {})
    for framework_s in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework_s, None)
    schemas["Problem"] = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schemas["Problem"].pop("$defs", {}))
    schemas.update(_submissions(today))
    schemas.update(_with_inner(schema_of(FollowUp), "FollowUp"))
    parts["responses"] = {str(status): _problem(status, room.base) for status in sorted(_statuses())}
    parts["responses"] |= describing.answers()
    for operations in described["paths"].values():
        for method, operation in operations.items():
            if describing.TAG in operation.get("tags", ()):
                describing.complete(operation)
            else:
                _complete(operation, verb=method == "post")
    publish = described["paths"].get("/v1/submissions", {}).get("post")
    if publish is not None:
        publish["requestBody"] = _body(today)
    return described


def _statuses() -> set[int]:
    return {kind.status for kind in KINDS.values()}


def _complete(operation: dict[str, Any], *, verb: bool) -> None:
    """Who may call it, and every problem it may answer with."""
    tag = operation.get("tags", ["machine"])[0]
    if tag in _SECURITY:
        operation.setdefault("security", _SECURITY[tag])
    answers = operation["responses"]
    problems = set(_PROBLEMS[tag])
    for status in [status for status in answers if int(status) >= 400]:
        if not answers[status].get("content"):
            problems.add(int(status))
        elif status == "422":
            del answers[status]  # the framework put it there: it thinks that any parameter may be malformed
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
        problems.add(422)
    if tag == "ops" and verb:
        problems |= {409}
    if tag == "ops" and "requestBody" in operation:
        problems |= {400, 408, 413, 415, 422}
    for status in sorted(problems):
        answers[str(status)] = {"$ref": f"#/components/responses/{status}"}


def _problem(status: int, base: str) -> dict[str, Any]:
    kinds = [kind for kind in KINDS.values() if kind.status == status]
    instance = "urn:uuid:01936d2a-7b5c-7def-8abc-0123456789ab"
    fault = [("#/details/collection_date", "There is no such day; send a date as YYYY-MM-DD.")]
    answer: dict[str, Any] = {
        "description": "; or: ".join(kind.title for kind in kinds) + ".",
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {
                    kind.code: {
                        "value": Problem(code=kind.code, faults=fault if kind.code == "invalid" else ()).as_dict(
                            base=base, instance=instance
                        )
                    }
                    for kind in kinds
                },
            }
        },
    }
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    return answer


def _submissions(today: date) -> dict[str, Any]:
    """The contract of every service as a component, its inner definitions beside it."""
    found: dict[str, Any] = {}
    for code, service in sorted(SERVICES.items()):
        for version in sorted(service.versions):
            found |= _with_inner(service.schema(version), f"{code}.v{version}")
    return found


def _with_inner(contract: dict[str, Any], name: str) -> dict[str, Any]:
    """A contract and its inner definitions, by their names as components."""
    schema = _hoisted(contract, name)
    found = {f"{name}.{inner}": definition for inner, definition in schema.pop("$defs", {}).items()}
    schema.pop("$schema", None)
    schema.pop("$id", None)
    return {**found, name: schema}


def _hoisted(node: Any, name: str) -> Any:
    """The same schema with its `#/$defs/…` pointing to components."""
    if isinstance(node, dict):
        return {
            key: f"#/components/schemas/{name}.{value.removeprefix('#/$defs/')}"
            if key == "$ref" and isinstance(value, str) and value.startswith("#/$defs/")
            else _hoisted(value, name)
            for key, value in node.items()
        }
    return [_hoisted(one, name) for one in node] if isinstance(node, list) else node


def _body(today: date) -> dict[str, Any]:
    shapes: list[dict[str, str]] = []
    examples: dict[str, Any] = {}
    for code, service in sorted(SERVICES.items()):
        shapes += [{"$ref": f"#/components/schemas/{code}.v{version}"} for version in sorted(service.versions)]
        good, _ = service.examples(max(service.versions), today=today)
        for number, example in enumerate(good, start=1):
            examples[f"{code}-{number}"] = {
                "summary": f"{service.title}: {example.why}",
                "value": example.as_dict()["body"],
            }
    content = {"schema": {"oneOf": shapes}, "examples": examples}
    return {"required": True, "content": {"application/json": content}}

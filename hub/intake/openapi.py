"""The description of this API that programs read: complete, with examples that are valid today."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import compile_path

from hub import __version__
from hub.intake.deps import Room
from hub.intake.problems import KINDS, MEDIA_TYPE, Problem
from hub.intake.shapes import ProblemBody
from hub.intake.taking import LONDON
from hub.standard import SERVICES

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
    {"name": "machine", "description": "For monitoring."},
]

_SCHEMES = {
    "front_end_key": {
        "type": "http",
        "scheme": "bearer",
        "description": "The key of a front end: `hub front-ends add NAME --councils … --services …`.",
    },
    "front_end_key_header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "user_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a member of staff: `hub users add NAME --role …`.",
    },
}

_SECURITY: Mapping[str, list[dict[str, list[str]]]] = {
    "publishing": [{"front_end_key": []}, {"front_end_key_header": []}],
    "ops": [{"user_token": []}],
}

#: Which problems an operation of each kind may answer with.
_PROBLEMS = {
    "publishing": (401, 403, 404, 503),
    "contracts": (404,),
    "ops": (401, 403, 404, 503),
    "machine": (),
}


def add_to(app: FastAPI) -> None:
    app.title = "Council Hub"
    app.version = __version__
    app.state.described = None


def document(app: FastAPI) -> bytes:
    """The document as JSON, made anew each London day: its examples say when a bin was missed."""
    room: Room = app.state.room
    today = room.deps.clock().astimezone(LONDON).date()
    if app.state.described is None or app.state.described[0] != today:
        app.state.described = (today, json.dumps(_describe(app, today), ensure_ascii=False).encode())
    content: bytes = app.state.described[1]
    return content


def methods_at(app: FastAPI, path: str) -> set[str]:
    """The methods that an address takes; none when there is no such address."""
    found: set[str] = set()
    for template, operations in json.loads(document(app))["paths"].items():
        if compile_path(template)[0].match(path):
            found |= {method.upper() for method in operations}
    return found


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
    parts["responses"] = {str(status): _problem(status, room.base) for status in sorted(_statuses())}
    for operations in described["paths"].values():
        for operation in operations.values():
            _complete(operation)
    publish = described["paths"].get("/v1/submissions", {}).get("post")
    if publish is not None:
        publish["requestBody"] = _body(today)
    return described


def _statuses() -> set[int]:
    return {kind.status for kind in KINDS.values()}


def _complete(operation: dict[str, Any]) -> None:
    """Who may call it, and every problem it may answer with."""
    tag = operation.get("tags", ["machine"])[0]
    if tag in _SECURITY:
        operation.setdefault("security", _SECURITY[tag])
    answers = operation["responses"]
    problems = set(_PROBLEMS[tag])
    for status in [status for status in answers if int(status) >= 400]:
        # Where it has content, the framework put it there: it thinks that any parameter may be malformed.
        if not answers.pop(status).get("content"):
            problems.add(int(status))
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
        problems.add(422)
    if tag == "ops" and "requestBody" in operation:
        problems |= {409, 413, 422}
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
            name = f"{code}.v{version}"
            schema = _hoisted(service.schema(version), name)
            for inner, definition in schema.pop("$defs", {}).items():
                found[f"{name}.{inner}"] = definition
            schema.pop("$schema", None)
            schema.pop("$id", None)
            found[name] = schema
    return found


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

"""Everything that can be answered but a yes: RFC 9457 problems, each with what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from hub import errors
from hub.standard import Unreadable

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of problem; `code` is stable, `remedy` is what its page says."""

    code: str
    status: int
    title: str
    remedy: str


def _kinds(*kinds: Kind) -> dict[str, Kind]:
    return {kind.code: kind for kind in kinds}


KINDS: Mapping[str, Kind] = _kinds(
    Kind(
        code="unreadable",
        status=400,
        title="The body cannot be read",
        remedy="Send one JSON object in UTF-8, without duplicate keys and not nested deeply.",
    ),
    Kind(
        code="bad-request",
        status=400,
        title="The request cannot be understood",
        remedy="Compare the request with /openapi.json; the detail says which part is wrong.",
    ),
    Kind(
        code="idempotency-key-invalid",
        status=400,
        title="The Idempotency-Key cannot be used",
        remedy='Send one Idempotency-Key of 1 to 255 printable ASCII characters, "quoted" or bare; a UUID is best.',
    ),
    Kind(
        code="unauthenticated",
        status=401,
        title="Your key is missing or not known",
        remedy="Send `Authorization: Bearer <key>` (or `X-Api-Key: <key>`). Keys of front ends are made by "
        "`hub front-ends add`, tokens of staff by `hub users add`; a lost one is replaced by `rotate`.",
    ),
    Kind(
        code="not-allowed",
        status=403,
        title="Your key does not reach this",
        remedy="Ask the hub's administrator for a key with this council, service or role.",
    ),
    Kind(
        code="not-found",
        status=404,
        title="There is nothing here",
        remedy="Check the address (/openapi.json has every one), the council (GET /v1/councils) and the service "
        "(GET /v1/services). "
        "What belongs to another front end is not shown.",
    ),
    Kind(
        code="method-not-allowed",
        status=405,
        title="This address does not take that method",
        remedy="Use one of the methods in the Allow header.",
    ),
    Kind(
        code="too-slow",
        status=408,
        title="The body did not arrive in time",
        remedy="Send the whole body at once, then repeat the request with the same Idempotency-Key.",
    ),
    Kind(
        code="conflict",
        status=409,
        title="Another request is doing the same",
        remedy="Wait a second, then repeat the request with the same Idempotency-Key.",
    ),
    Kind(
        code="wrong-state",
        status=409,
        title="This cannot be done in the state it is in",
        remedy="Read it again, and do first what the detail names.",
    ),
    Kind(
        code="too-large",
        status=413,
        title="The body is too large",
        remedy="Send fewer or smaller files at once. A file over 1 MiB goes to POST /v1/attachments, up to 25 MB.",
    ),
    Kind(
        code="unsupported-encoding",
        status=415,
        title="The body is in an encoding that the hub does not read",
        remedy="Send the JSON as it is, without Content-Encoding.",
    ),
    Kind(
        code="unsupported-media-type",
        status=415,
        title="The body is not of the kind that this address reads",
        remedy="Send it with the Content-Type that /openapi.json names for this address.",
    ),
    Kind(
        code="invalid",
        status=422,
        title="The request is not of the contract's form",
        remedy="Mend every entry of `errors`, then send it again. The contract of each service is at "
        "/v1/services/{code}/schema.",
    ),
    Kind(
        code="idempotency-key-reused",
        status=422,
        title="This Idempotency-Key came before with other content",
        remedy="Use a new key for new content; repeat the very same content to get the first answer again.",
    ),
    Kind(
        code="too-many-requests",
        status=429,
        title="You are sending faster than agreed",
        remedy="Wait as many seconds as Retry-After says, then go on more slowly.",
    ),
    Kind(
        code="internal",
        status=500,
        title="The hub made a mistake",
        remedy="Repeat the request with the same Idempotency-Key; if it fails again, "
        "tell the hub's operators the incident id.",
    ),
    Kind(
        code="unavailable",
        status=503,
        title="The hub cannot keep anything right now",
        remedy="Nothing was promised. Wait as many seconds as Retry-After says, then repeat the request "
        "with the same Idempotency-Key.",
    ),
)

_BY_STATUS = {
    400: "bad-request",
    401: "unauthenticated",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    415: "unsupported-encoding",
    422: "invalid",
    429: "too-many-requests",
    503: "unavailable",
}

#: The hub's own errors, most particular first.
_BY_ERROR: tuple[tuple[type[errors.HubError], str], ...] = (
    (Unreadable, "unreadable"),
    (errors.KeyReused, "idempotency-key-reused"),
    (errors.Invalid, "invalid"),
    (errors.WrongState, "wrong-state"),
    (errors.Conflict, "conflict"),
    (errors.NotThere, "not-found"),
    (errors.NotAllowed, "not-allowed"),
    (errors.StoreUnavailable, "unavailable"),
    (errors.StoreOutdated, "unavailable"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One answer that is not a yes. `detail` says what to do next and quotes nobody's values."""

    code: str
    detail: str = ""
    faults: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return KINDS[self.code].status

    def as_dict(self, *, base: str, instance: str) -> dict[str, Any]:
        kind = KINDS[self.code]
        body: dict[str, Any] = {
            "type": f"{base}/problems/{kind.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail or kind.remedy,
            "instance": instance,
            "code": kind.code,
        }
        if self.faults:
            body["errors"] = [{"pointer": pointer, "message": message} for pointer, message in self.faults]
        return body

    def response(self, *, base: str, instance: str) -> Response:
        body = json.dumps(self.as_dict(base=base, instance=instance), ensure_ascii=False, separators=(",", ":"))
        # "surrogatepass" would send bytes nobody can read; a lone surrogate in a message becomes "?".
        content = body.encode("utf-8", errors="replace")
        return Response(content, status_code=self.status, headers=dict(self.headers), media_type=MEDIA_TYPE)


class Stop(Exception):
    """Raised inside intake to answer with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def stop(code: str, detail: str = "", *, headers: Mapping[str, str] | None = None) -> Stop:
    return Stop(Problem(code=code, detail=detail, headers=headers or {}))


def of_error(error: errors.HubError) -> Problem | None:
    """The problem that a hub error stands for; None where it is a bug that it came this far."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            faults = error.faults if isinstance(error, errors.Invalid) else ()
            headers = {"Retry-After": "1" if code == "conflict" else "5"} if code in {"unavailable", "conflict"} else {}
            return Problem(code=code, detail=str(error), faults=faults, headers=headers)
    return None


def of_status(status: int, *, detail: str = "", headers: Mapping[str, str] | None = None) -> Problem:
    """The problem for a bare HTTP status, as the framework raises them."""
    code = _BY_STATUS.get(status, "internal" if status >= 500 else "bad-request")
    return Problem(code=code, detail=detail, headers=headers or {})


#: Where pydantic's own words do not say what to do.
_WORDS = {
    "extra_forbidden": "There is no such field; leave it out, or compare its name with /openapi.json.",
    "missing": "This is required; add it.",
    "string_pattern_mismatch": "This is not of its form; compare it with /openapi.json.",
}


def faults_of(found: Iterable[Mapping[str, Any]], *, root: str) -> list[tuple[str, str]]:
    """Pydantic's faults as pointers and messages; `root` is where the pointers begin."""
    return [
        (
            "/".join((root, *(str(part).replace("~", "~0").replace("/", "~1") for part in fault["loc"]))),
            _WORDS.get(fault["type"], fault["msg"].removeprefix("Value error, ")),
        )
        for fault in found
    ]

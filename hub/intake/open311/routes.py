"""The addresses of the Open311 door, below `/open311/{council}/`, each with `.xml`, `.json` or neither."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps

from fastapi import APIRouter
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path

from hub.council import Council
from hub.errors import HubError
from hub.intake.deps import Room, room_of
from hub.intake.gate import note_of, report
from hub.intake.open311 import catalogue, discovery, states
from hub.intake.open311.checking import check_jurisdiction
from hub.intake.open311.describing import described
from hub.intake.open311.posting import known, take_request
from hub.intake.open311.reading import KEY
from hub.intake.open311.telling import Form, form_of, tell, tell_error
from hub.intake.problems import Problem, Stop, of_error, stop
from hub.model import FrontEnd

router = APIRouter(prefix="/open311/{council}")


class _Extension(Convertor[str]):
    regex = "xml|json"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Anything(_Extension):
    """Starlette's own `path` ends at a line break."""

    regex = r"[\s\S]*"


register_url_convertor("open311", _Extension())
register_url_convertor("anything", _Anything())

Endpoint = Callable[[Request], Awaitable[Response]]
#: Every address there is with its method, for those who come with another.
_known: list[tuple[re.Pattern[str], str]] = []


def _spoken(endpoint: Endpoint) -> Endpoint:
    """The endpoint, saying no as Open311 does: nobody who comes by this door can read a problem."""

    @wraps(endpoint)
    async def spoken(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            raise
        except Exception as failure:
            return _no(_problem(failure, request), form_of(request))

    return spoken


def _problem(failure: Exception, request: Request) -> Problem:
    """What to say of a failure; of a bug no more than that there was one."""
    problem = failure.problem if isinstance(failure, Stop) else None
    if isinstance(failure, HubError):
        problem = of_error(failure)
    if problem is None:
        note = note_of(request.scope)
        report(failure, note)
        problem = Problem(code="internal", detail=f"It is not your fault; send it again. The incident is {note.id}.")
    return problem


def _no(problem: Problem, form: Form) -> Response:
    body = problem.as_dict(base="", instance="")
    # A missing key is a wrong one here: this protocol knows no 401, and its clients no challenge.
    status = 403 if problem.status == 401 else problem.status
    headers = {name: value for name, value in problem.headers.items() if name.lower() != "www-authenticate"}
    return tell_error(status, str(body["detail"]), form=form, headers=headers)


def _council(request: Request, room: Room) -> Council:
    """The council of the address, which a `jurisdiction_id` must not contradict.

    A generation of council files is in force whole or not at all, so what is told of a council is never
    a part of it. Raises NotThere, and Stop: 503 while none is in force, 400 and 404 for the jurisdiction.
    """
    try:
        councils = room.deps.councils()
    except HubError:
        detail = "The council files cannot be read just now; `hub check` says what is wrong with them."
        raise stop("unavailable", detail, headers={"Retry-After": "60"}) from None
    council = councils.find(request.path_params["council"])
    check_jurisdiction(request.query_params.get("jurisdiction_id", "").strip(), council, councils)
    return council


async def _caller(request: Request, room: Room) -> FrontEnd | None:
    """Who asks, where the address or a header says so; a wrong key is refused even where none is needed."""
    key = request.query_params.get(KEY, "").strip() or request.headers.get("x-api-key", "").strip()
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not key and kind.lower() == "bearer":
        key = token.strip()
    return await known(key, request, room) if key else None


async def get_discovery(request: Request) -> Response:
    room = room_of(request)
    council = _council(request, room)
    return tell("discovery", discovery.told(council, room), form=form_of(request))


async def list_services(request: Request) -> Response:
    """All of them or none: clients delete a service that is missing. No key is needed."""
    council = _council(request, room_of(request))
    services = [catalogue.listed(entry) for entry in catalogue.entries(council)]
    return tell("services", services, form=form_of(request))


async def get_service(request: Request) -> Response:
    """What a service asks for. No key is needed."""
    council = _council(request, room_of(request))
    entry = catalogue.entry(council, request.path_params["name"])
    return tell("service_definition", catalogue.defined(entry), form=form_of(request))


async def create_request(request: Request) -> Response:
    """Take a report in; it is durable when this is answered, mapped or not, and its number stays the same."""
    room, began = room_of(request), time.perf_counter()
    count = room.deps.metrics
    try:
        council = _council(request, room)
        kept = await take_request(request, council, caller=await _caller(request, room), room=room)
    except (Stop, HubError) as failure:
        problem = failure.problem if isinstance(failure, Stop) else of_error(failure)
        count.submission("unknown", result=problem.code if problem else "internal")
        raise
    result = "replayed" if kept.replayed else "parked" if kept.parked else "accepted"
    count.submission(kept.service or "unknown", result=result)
    count.accepted(timedelta(seconds=time.perf_counter() - began))
    answer = {"service_request_id": kept.reference, "account_id": None}
    return tell("service_requests", [answer], form=form_of(request))


async def get_request(request: Request) -> Response:
    """Open or closed, by the number; with a key only what it sent itself."""
    return await _one(request, request.path_params["name"])


async def list_requests(request: Request) -> Response:
    """Those that are named, as `service_request_id=A,B`."""
    named = request.query_params.get("service_request_id", "")
    if not named.strip():
        detail = "This hub tells only of requests that are named: add service_request_id, several with commas between."
        raise stop("not-found", detail)
    names = [name for name in named.split(",") if name.strip()]
    if len(names) > states.MOST:
        raise stop("bad-request", f"Name at most {states.MOST} requests at once.")
    return await _told(request, names)


async def get_token(request: Request) -> Response:
    """Every number is given at once, so a token is the number itself."""
    room = room_of(request)
    council = _council(request, room)
    rows = await states.found([request.path_params["name"]], council, caller=await _caller(request, room), room=room)
    if not rows:
        raise stop("not-found", "There is no such token; this hub gives a service_request_id at once.")
    answer = {"service_request_id": rows[0].reference, "token": rows[0].reference}
    return tell("service_requests", [answer], form=form_of(request))


async def _one(request: Request, name: str) -> Response:
    return await _told(request, [name])


async def _told(request: Request, names: list[str]) -> Response:
    room = room_of(request)
    council = _council(request, room)
    rows = await states.found(names, council, caller=await _caller(request, room), room=room)
    if not rows:
        raise stop(
            "not-found", "There is no request of that number here; use the service_request_id that was answered."
        )
    return tell("service_requests", states.told(rows, council), form=form_of(request))


async def say_no(request: Request) -> Response:
    """Whatever else is asked below this door: no such address, or not with that method."""
    methods = {method for pattern, method in _known if pattern.match(request.scope["path"])}
    if not methods:
        raise stop("not-found", "There is no such call here; see discovery.xml for those there are.")
    allow = ", ".join(sorted({*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    raise stop("method-not-allowed", f"Use {allow}.", headers={"Allow": allow})


def _add(path: str, endpoint: Endpoint, *, method: str = "GET") -> None:
    """With an extension, which is what is described, and without."""
    for suffix, shown in ((".{extension:open311}", True), ("", False)):
        _known.append((compile_path(router.prefix + path + suffix)[0], method))
        router.add_api_route(
            path + suffix,
            _spoken(endpoint),
            methods=[method],
            name=f"open311_{endpoint.__name__}",
            response_model=None,
            include_in_schema=shown,
            **described(endpoint.__name__),
        )


_add("/discovery", get_discovery)
_add("/services", list_services)
_add("/services/{name}", get_service)
_add("/requests", list_requests)
_add("/requests", create_request, method="POST")
_add("/requests/{name}", get_request)
_add("/tokens/{name}", get_token)
for _rest in ("", "/{rest:anything}"):
    router.add_api_route(
        _rest,
        _spoken(say_no),
        methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"],
        name="open311_say_no",
        response_model=None,
        include_in_schema=False,
    )

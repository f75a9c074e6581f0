"""The routes, and who may call them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.errors import HubError
from hub.intake import (
    batch,
    councils,
    forms,
    health,
    open311,
    openapi,
    ops,
    pages,
    services,
    submissions,
    updates,
    uploads,
)
from hub.intake.deps import Deps, make_room, room_of
from hub.intake.gate import Gate, note_of
from hub.intake.problems import Problem, Stop, faults_of, of_error, of_status


class Face(StrEnum):
    """Whom an app serves. Each may be bound to a host of its own."""

    PUBLISHING = "publishing"  #: front ends
    OPS = "ops"  #: staff
    MACHINE = "machine"  #: health and metrics


#: What a process shows by its role; a worker is only watched.
_FACES: Mapping[str, Collection[Face]] = {
    "all": tuple(Face),
    "intake": tuple(Face),
    "console": (Face.OPS, Face.MACHINE),
    "worker": (Face.MACHINE,),
}


class App(FastAPI):
    """FastAPI, and a way past its layers to the one address that everything comes through."""

    publish: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.publish is not None and _publishes(scope):
            await self.publish(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _publishes(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and scope["path"] == submissions.PATH
        and not scope.get("root_path")
    )


def make_app(
    deps: Deps,
    *,
    faces: Collection[Face] | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
) -> FastAPI:
    """Intake as an ASGI app with the faces of its role, or those that are named. Nothing is opened here."""
    faces = _FACES[deps.serves] if faces is None else faces
    app = App(
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        # The pages that FastAPI makes of this load scripts from a CDN; the description itself is enough.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A redirect would drop a body, and tell a caller to follow where nothing should be followed.
        redirect_slashes=False,
    )
    app.state.room = make_room(deps)
    if Face.PUBLISHING in faces:
        route = submissions.add_publish(app)
        app.publish = Gate(_publishing(app, route), ids=deps.ids, base=app.state.room.base)
        for part in (batch, uploads, submissions, updates, services, councils, forms, open311):
            app.include_router(part.router)
    if Face.OPS in faces:
        app.include_router(ops.make_router())
    if Face.MACHINE in faces:
        app.include_router(health.router)
    app.include_router(pages.router)
    openapi.add_to(app)
    app.add_exception_handler(Stop, _stopped)
    app.add_exception_handler(HubError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _bare)
    app.add_middleware(Gate, ids=deps.ids, base=app.state.room.base)
    return app


def _publishing(app: FastAPI, route: BaseRoute) -> ASGIApp:
    """The route and its errors, without the layers between: they cost as much as reading a submission."""

    async def publishing(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"], scope["route"] = app, route
        request = Request(scope, receive, send)
        try:
            response = await submissions.publish(request)
        except Stop as failure:
            response = await _stopped(request, failure)
        except HubError as failure:
            response = await _refused(request, failure)
        await response(scope, receive, send)

    return publishing


def _answer(problem: Problem, request: Request) -> Response:
    return problem.response(base=room_of(request).base, instance=note_of(request.scope).instance)


async def _stopped(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, Stop)
    return _answer(failure.problem, request)


async def _refused(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HubError)
    problem = of_error(failure)
    if problem is None:
        raise failure  # a bug: the gate makes an incident of it
    return _answer(problem, request)


async def _malformed(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, RequestValidationError)
    return _answer(Problem(code="invalid", faults=faults_of(failure.errors(), root="#")), request)


async def _bare(request: Request, failure: Exception) -> Response:
    """What the framework itself says no to: no such address, not that method."""
    assert isinstance(failure, HTTPException)
    headers = dict(failure.headers or {})
    if failure.status_code != 405:
        return _answer(of_status(failure.status_code, headers=headers), request)
    allowed = openapi.methods_at(request.app, request.url.path) or {headers.get("Allow", "GET")}
    allow = ", ".join(sorted({*allowed, "OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())))
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    return _answer(of_status(405, detail=f"Use {allow}.", headers={"Allow": allow}), request)

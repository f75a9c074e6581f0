"""For the machine that watches the machine: live, ready, metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from hub.errors import HubError
from hub.intake.deps import Room, room_of
from hub.intake.problems import stop
from hub.metrics import CONTENT_TYPE
from hub.store.backlog import backlog

router = APIRouter(tags=["machine"])

_COUNTING = timedelta(seconds=2)  #: a scrape that is late is a scrape that is lost


@router.get("/health/live", summary="The process runs")
async def live(room: Annotated[Room, Depends(room_of)]) -> dict[str, str]:
    return {"status": "live", "role": room.deps.serves}


@router.get("/health/ready", summary="The hub can accept durably: a row was just written", responses={503: {}})
async def ready(room: Annotated[Room, Depends(room_of)]) -> dict[str, str]:
    """503 until it can. Probes a real write, at most once a second however often it is asked."""
    try:
        room.deps.councils()  # raises while no generation of council files is in force
        await room.readiness.check()
    except HubError as failure:
        raise stop("unavailable", str(failure), headers={"Retry-After": "1"}) from failure
    return {"status": "ready"}


@router.get("/metrics", summary="Six numbers for Prometheus", response_class=Response)
async def metrics(room: Annotated[Room, Depends(room_of)]) -> Response:
    try:
        waits = await room.deps.store.read(backlog, patience=_COUNTING)
    except HubError:
        pass  # a store that is away must not hide what this process counted; /health/ready says that it is away
    else:
        room.deps.metrics.backlog(queued=waits.queued, oldest_due=waits.oldest_due, parked=waits.parked)
    return Response(room.deps.metrics.text(), media_type=CONTENT_TYPE)

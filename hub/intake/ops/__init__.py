"""The ops API: what staff see and may do over HTTP; console and command line go the same way."""

from __future__ import annotations

from fastapi import APIRouter


def make_router() -> APIRouter:
    """All of it in one router, so that it can be bound on a host of its own."""
    # Not above: the doors for front ends, which some of these use, ask `staff.py` beside them who is asking.
    from hub.intake.ops import acts, deliveries, destinations, groups, operations, received, submissions

    router = APIRouter(tags=["ops"])
    for part in (deliveries, submissions, operations, destinations, groups, received, acts):
        router.include_router(part.router)
    return router

"""The ops API: what staff see and may do over HTTP; console and command line go the same way."""

from __future__ import annotations

from fastapi import APIRouter

from hub.intake.ops import acts, deliveries, destinations, groups, received


def make_router() -> APIRouter:
    """All of it in one router, so that it can be bound on a host of its own."""
    router = APIRouter(tags=["ops"])
    for part in (deliveries, destinations, groups, received, acts):
        router.include_router(part.router)
    return router

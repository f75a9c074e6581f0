"""The whole vocabulary, in one sorted __all__."""

from __future__ import annotations

from hub.connector.answers import Answer
from hub.connector.bodies import Parts
from hub.connector.door import (
    Attachment,
    Connector,
    Delivery,
    Health,
    Operation,
    PushRequest,
    StatusChange,
)
from hub.connector.evidence import Exchange, http_evidence
from hub.connector.faults import FaultTable
from hub.connector.http import Http
from hub.connector.soap import Soap
from hub.connector.wsse import UsernameToken
from hub.errors import DeliveryFailure, Misconfigured, Refused, Unavailable, Unclear
from hub.model import Receipt, ReplaySafety, StepKind

__all__ = [
    "Answer",
    "Attachment",
    "Connector",
    "Delivery",
    "DeliveryFailure",
    "Exchange",
    "FaultTable",
    "Health",
    "Http",
    "Misconfigured",
    "Operation",
    "Parts",
    "PushRequest",
    "Receipt",
    "Refused",
    "ReplaySafety",
    "Soap",
    "StatusChange",
    "StepKind",
    "Unavailable",
    "Unclear",
    "UsernameToken",
    "http_evidence",
]

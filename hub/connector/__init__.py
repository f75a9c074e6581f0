"""The whole vocabulary, in one sorted __all__."""

from __future__ import annotations

from hub.connector.answers import Answer
from hub.connector.bodies import Parts
from hub.connector.door import (
    Attachment,
    BadSetting,
    Connector,
    Delivery,
    FreeRecord,
    Health,
    Operation,
    PushRequest,
    StatusChange,
    tailored,
)
from hub.connector.evidence import Exchange, http_evidence
from hub.connector.faults import FaultTable
from hub.connector.http import Http
from hub.connector.line import Call, Line
from hub.connector.outcomes import of_status
from hub.connector.scalars import Later
from hub.connector.soap import Said, Soap
from hub.connector.spreadsheet import Cell, csv_file
from hub.connector.wsdl import Wsdl
from hub.connector.wsse import UsernameToken
from hub.errors import DeliveryFailure, Misconfigured, Refused, Unavailable, Unclear
from hub.model import Receipt, ReplaySafety, StepKind

__all__ = [
    "Answer",
    "Attachment",
    "BadSetting",
    "Call",
    "Cell",
    "Connector",
    "Delivery",
    "DeliveryFailure",
    "Exchange",
    "FaultTable",
    "FreeRecord",
    "Health",
    "Http",
    "Later",
    "Line",
    "Misconfigured",
    "Operation",
    "Parts",
    "PushRequest",
    "Receipt",
    "Refused",
    "ReplaySafety",
    "Said",
    "Soap",
    "StatusChange",
    "StepKind",
    "Unavailable",
    "Unclear",
    "UsernameToken",
    "Wsdl",
    "csv_file",
    "http_evidence",
    "of_status",
    "tailored",
]

"""What a connector author tests with: pretend back offices with a ledger, and the conformance kit."""

from __future__ import annotations

from hub.connector.testing.backoffice import BackOffice
from hub.connector.testing.hosting import Address, load, serving
from hub.connector.testing.ledger import Ledger, our_reference_in
from hub.connector.testing.modes import At, Behaviour, ControlFault, Mode, Script
from hub.connector.testing.office import Office
from hub.connector.testing.running import Running, spawn
from hub.connector.testing.tap import Sent, Tap, tapped
from hub.connector.testing.wire import (
    Call,
    Reply,
    Unreadable,
    as_record,
    file_in,
    json_reply,
    local,
    read_xml,
    xml_reply,
)

__all__ = [
    "Address",
    "At",
    "BackOffice",
    "Behaviour",
    "Call",
    "ControlFault",
    "Ledger",
    "Mode",
    "Office",
    "Reply",
    "Running",
    "Script",
    "Sent",
    "Tap",
    "Unreadable",
    "as_record",
    "file_in",
    "json_reply",
    "load",
    "local",
    "our_reference_in",
    "read_xml",
    "serving",
    "spawn",
    "tapped",
    "xml_reply",
]

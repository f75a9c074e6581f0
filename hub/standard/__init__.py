"""THE STANDARD SUBMISSIONS, published to front ends."""

from hub.standard.catalogue import SERVICES
from hub.standard.envelope import Envelope
from hub.standard.labels import Personal
from hub.standard.parsing import Unreadable, parse
from hub.standard.reading import Read, in_version, read, read_data, without_derived
from hub.standard.schema import PersonalPath
from hub.standard.service import Example, Service

__all__ = [
    "SERVICES",
    "Envelope",
    "Example",
    "Personal",
    "PersonalPath",
    "Read",
    "Service",
    "Unreadable",
    "in_version",
    "parse",
    "read",
    "read_data",
    "without_derived",
]

"""What is sealed of a body that was received: the body as it came, and what came along or after it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.store import received
from hub.store.seal import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A body with the same key and other content, that came afterwards."""

    body: bytes
    attachments: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One line that says what came along, then the body, byte for byte and without credentials."""

    body: bytes
    attachments: Sequence[str] = ()  #: ids of files that are stored
    later: Sequence[Later] = ()  #: while this one was parked
    trace: str | None = None

    @property
    def files(self) -> list[str]:
        """Every file that waits with it."""
        return [*self.attachments, *(file for each in self.later for file in each.attachments)]

    def with_later(self, more: Later) -> Packet:
        return replace(self, later=(*self.later, more))

    def seal(self, sealer: Sealer, *, id: str) -> bytes:
        later = [[base64.b64encode(each.body).decode(), list(each.attachments)] for each in self.later]
        head = {"attachments": list(self.attachments), "later": later, "trace": self.trace}
        return sealer.seal(json.dumps(head).encode() + b"\n" + self.body, place=received.place(id))

    @classmethod
    def open(cls, sealed: bytes, sealer: Sealer, *, id: str) -> Packet:
        """Raises SealBroken when the key is gone, or the value was changed or moved."""
        head, _, body = sealer.open(sealed, place=received.place(id)).partition(b"\n")
        said = json.loads(head)
        later = tuple(Later(body=base64.b64decode(each), attachments=files) for each, files in said["later"])
        return cls(body=body, attachments=tuple(said["attachments"]), later=later, trace=said["trace"])

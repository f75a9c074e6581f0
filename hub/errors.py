"""Everything that can go wrong, named by what happens next.

HubError
├── DeliveryFailure              what a connector may raise
│   ├── Unavailable              it certainly did not take it     → tried again on schedule
│   ├── Refused                  it read it and said no           → dead letter, a person mends
│   ├── Unclear                  bytes went out, no clear answer  → by replay safety
│   └── Misconfigured            our key or address is wrong      → destination paused (or suspect: checked first)
├── MappingFault                 a mapping cannot make the record → dead letter, a person mends
├── SettingsError                the hub may not start like this
├── StoreUnavailable             nothing can be kept right now    → 503 and Retry-After
├── StoreOutdated                the schema is behind the code    → `hub db upgrade`
├── LeaseLost                    another worker owns this step now
├── WrongState                   the verb does not fit the state  → 409
├── NotThere                     no such thing, or not yours      → 404
├── NotAllowed                   the role or scope does not reach → 403
├── Conflict                     another request holds this key   → 409
├── KeyReused                    the key came with other content  → 422
└── Invalid                      the request is not of the form   → 422, every fault at once
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


class HubError(Exception):
    """Something went wrong in the hub."""

    def __init__(self, message: str | None = None) -> None:
        # The class docstring is the default message, so text and documentation cannot drift.
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class DeliveryFailure(HubError):
    """The destination did not take it.

    `code` is stable and safe to log, count and group by. `reasons` are the
    destination's own words: they may quote a resident, so they are sealed with
    the evidence and never stand in the exception's text.
    """

    def __init__(self, message: str | None = None, *, code: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.reasons = tuple(reasons)


#: The code of an Unavailable that is the hub's own: its store was away, so nothing left and nobody is to blame.
STORE_AWAY = "store"


class Unavailable(DeliveryFailure):
    """The destination certainly did not take it; the hub tries again on schedule."""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str = "unavailable",
        reasons: Sequence[str] = (),
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message, code=code, reasons=reasons)
        self.retry_after = retry_after


class Refused(DeliveryFailure):
    """The destination read it and said no; mend the data or the mapping, then replay."""

    def __init__(self, message: str | None = None, *, code: str = "refused", reasons: Sequence[str] = ()) -> None:
        super().__init__(message, code=code, reasons=reasons)


class Unclear(DeliveryFailure):
    """It was sent and no clear answer came; look before you replay."""

    def __init__(self, message: str | None = None, *, code: str = "unclear", reasons: Sequence[str] = ()) -> None:
        super().__init__(message, code=code, reasons=reasons)


class Misconfigured(DeliveryFailure):
    """The destination does not accept our key or address; mend the credentials, then resume.

    `suspect` is set where the same answer may be meant for one request only (a
    web firewall's 403): the hub runs `check()` before it pauses a borough.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str = "misconfigured",
        reasons: Sequence[str] = (),
        suspect: bool = False,
    ) -> None:
        super().__init__(message, code=code, reasons=reasons)
        self.suspect = suspect


class MappingFault(HubError):
    """The mapping cannot make the record; mend the mapping, then replay.

    `where` is "file:line leaf", `problem` names what is wrong and the nearest
    real field. Neither quotes a value of the submission.
    """

    def __init__(self, problem: str, *, where: str, code: str = "mapping") -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem
        self.code = code


class SettingsError(HubError):
    """The hub may not start with these settings."""


class StoreUnavailable(HubError):
    """The store cannot keep anything right now; try again shortly."""


class StoreOutdated(HubError):
    """The database schema is older than this hub; run `hub db upgrade`."""


class LeaseLost(HubError):
    """Another worker owns this step now; this result changes nothing."""


class WrongState(HubError):
    """This cannot be done in the state the delivery is in."""


class NotThere(HubError):
    """There is nothing here under that name."""


class NotAllowed(HubError):
    """Your key or role does not reach this."""


class Conflict(HubError):
    """Another request with this Idempotency-Key is being taken; repeat it shortly."""


class KeyReused(HubError):
    """This Idempotency-Key came before with other content; use a new key for new content."""


class Invalid(HubError):
    """The submission is not of the contract's form; every fault is listed.

    `faults` are (RFC 6901 pointer fragment, message) and quote no value.
    """

    def __init__(self, faults: Sequence[tuple[str, str]], message: str | None = None) -> None:
        super().__init__(message)
        self.faults = tuple(faults)

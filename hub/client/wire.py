"""One call to the hub: repeated while that is harmless and may help, and then one clear answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from hub.client.answers import Refused, Unreachable

#: What the hub asks to be sent again: in the same moment, too slow, too fast, not now, or a proxy before it in trouble.
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 30.0
_STRANGER = timedelta(seconds=3)
_backoff = wait_random_exponential(multiplier=0.2, max=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer of the hub that is a yes."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Wire:
    """Keeps the connections to one hub. `patience` is for one call with all its repeats."""

    url: str
    key: str = field(repr=False)
    patience: timedelta = timedelta(seconds=60)
    _session: aiohttp.ClientSession | None = None
    _answered: bool = False

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Heard:
        """Make the call until it is answered for good. `form` makes a fresh body for each try.

        Raises Refused for a no, Unreachable when `patience` ran out without any answer.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_help),
            wait=_wait,
            stop=self._enough,
            reraise=True,
        )
        try:
            return await retrying(self._once, method, path, body=body, form=form, headers=headers, query=query)
        except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
            raise Unreachable(
                f"Nothing that speaks like a hub answers at {self.url} ({type(failure).__name__}); mend the address "
                "or try again: what carries an idempotency key is never made twice."
            ) from failure

    async def _once(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None,
        form: Callable[[], aiohttp.FormData] | None,
        headers: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
    ) -> Heard:
        given = dict(headers or {})
        if body is not None:
            given["Content-Type"] = "application/json"
        async with self._open().request(
            method,
            self.url + path,
            data=form() if form is not None else body,
            headers=given,
            params=query,
            allow_redirects=False,
        ) as answer:
            raw = await answer.read()
            self._answered = True
            said = json.loads(raw) if raw else None
            if not 200 <= answer.status < 300:
                raise Refused(
                    status=answer.status,
                    raw=said if isinstance(said, dict) else {},
                    retry_after=_seconds(answer.headers.get("Retry-After")),
                )
            return Heard(status=answer.status, body=said, headers=answer.headers)

    def _enough(self, state: RetryCallState) -> bool:
        """An address that has never answered is more likely wrong than a hub that is just being replaced."""
        failure = state.outcome.exception() if state.outcome else None
        known = self._answered or not isinstance(failure, aiohttp.ClientConnectorError)
        patience = self.patience if known else min(self.patience, _STRANGER)
        return (state.seconds_since_start or 0.0) >= patience.total_seconds()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self.key}"},
                timeout=aiohttp.ClientTimeout(total=self.patience.total_seconds(), connect=10),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _may_help(failure: BaseException) -> bool:
    if isinstance(failure, Refused):
        return failure.status in _AGAIN and failure.code != "wrong-state"
    return isinstance(failure, aiohttp.ClientError | TimeoutError)


def _wait(state: RetryCallState) -> float:
    """As long as the hub asks for, else longer each time."""
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.retry_after if isinstance(failure, Refused) else None
    return min(max(asked.total_seconds() if asked else 0.0, _backoff(state)), _LONGEST_WAIT)


def _seconds(said: str | None) -> timedelta | None:
    return timedelta(seconds=int(said)) if said and said.isdigit() else None

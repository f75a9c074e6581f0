"""How a product knows us: fixed headers, or a token that is fetched once for many calls and renewed in time."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from connectors.rest.settings import Auth, OAuth2
from hub.connector import Answer, Http, Misconfigured

_UNKNOWN_LIFE: Final = 300.0  #: seconds, where the product does not say how long its token lives
_EARLY: Final = 60.0  #: a token is renewed so many seconds before its end, or at nine tenths of a short life


class Access:
    """The headers that prove who we are. Safe for any number of tasks at once."""

    def __init__(self, auth: Auth, http: Http) -> None:
        self._fixed: dict[str, str] = {}
        if auth.header is not None:
            self._fixed[auth.header.name] = auth.header.value.get_secret_value()
        if auth.bearer is not None:
            self._fixed["Authorization"] = f"Bearer {auth.bearer.token.get_secret_value()}"
        if auth.basic is not None:
            self._fixed["Authorization"] = _basic(auth.basic.username, auth.basic.password.get_secret_value())
        self._token = Token(auth.oauth2, http) if auth.oauth2 is not None else None

    @property
    def renews(self) -> bool:
        """Whether what a product no longer accepts can be had anew."""
        return self._token is not None

    async def headers(self, *, instead_of: Mapping[str, str] | None = None) -> dict[str, str]:
        """The headers, others than `instead_of`. Fetches a token where there is none; raises like any read."""
        if self._token is None:
            return dict(self._fixed)
        stale = instead_of.get("Authorization", "").removeprefix("Bearer ") if instead_of is not None else None
        return self._fixed | {"Authorization": f"Bearer {await self._token.value(instead_of=stale)}"}

    async def renew(self) -> None:
        """Prove id and secret now, whatever we hold."""
        if self._token is not None:
            await self._token.renew()


class Token:
    """One token for all calls of a destination: whoever finds none fetches it, and the others wait for that."""

    def __init__(self, settings: OAuth2, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._held: str | None = None
        self._until = 0.0
        self._fetching = asyncio.Lock()

    async def value(self, *, instead_of: str | None = None) -> str:
        """A token that is not `instead_of`."""
        fresh = self._fresh(instead_of)
        if fresh is not None:
            return fresh
        async with self._fetching:
            # Whoever waited here may find that another has just fetched one.
            return self._fresh(instead_of) or await self._fetch()

    async def renew(self) -> None:
        async with self._fetching:
            await self._fetch()

    def _fresh(self, instead_of: str | None) -> str | None:
        return self._held if self._held != instead_of and time.monotonic() < self._until else None

    async def _fetch(self) -> str:
        settings, secret = self._settings, self._settings.client_secret.get_secret_value()
        form = {"grant_type": "client_credentials", **settings.parameters}
        headers = {"Accept": "application/json"}
        if settings.scope is not None:
            form["scope"] = settings.scope
        if settings.client_auth == "basic":
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            headers["Authorization"] = _basic(quote(settings.client_id, safe=""), quote(secret, safe=""))
        else:
            form |= {"client_id": settings.client_id, "client_secret": secret}
        asked = time.monotonic()
        answer = await self._http.read(
            "POST", settings.token_url, form=form, headers=headers, secret=True, accept={400, 401, 403}
        )
        if answer.status >= 400:
            text = "The token address does not accept our id, secret or scope; mend the settings, then resume."
            raise Misconfigured(text, code="rest_token")
        self._held, self._until = _token_in(answer), asked + _life(answer)
        self._http.hide(self._held)
        return self._held


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _token_in(answer: Answer) -> str:
    said = answer.json()
    token = said.get("access_token") if isinstance(said, Mapping) else None
    kind = said.get("token_type", "bearer") if isinstance(said, Mapping) else None
    usable = isinstance(token, str) and token.isascii() and token.isprintable() and bool(token)
    if not usable or not isinstance(kind, str) or kind.lower() != "bearer":
        raise answer.puzzling("rest_no_token")
    return str(token)


def _life(answer: Answer) -> float:
    """Seconds for which the token is used. Some products write the number as a text."""
    stated = answer.json().get("expires_in")
    try:
        seconds = float(stated)
    except (TypeError, ValueError):
        seconds = _UNKNOWN_LIFE
    if not 0 < seconds < float("inf"):
        seconds = _UNKNOWN_LIFE
    return max(seconds - _EARLY, seconds * 0.9 if seconds < 2 * _EARLY else 0.0)

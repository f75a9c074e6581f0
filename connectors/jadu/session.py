"""Jadu's sign-in: a token kept for a while, and renewed by one caller when it has expired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from connectors.jadu.settings import JaduSettings
from hub.connector import Http, Misconfigured


class Session:
    """One council's token. Safe for any number of tasks at once: they share one sign-in."""

    def __init__(self, settings: JaduSettings, http: Http) -> None:
        self.base = settings.url.rstrip("/") + "/"
        self._settings = settings
        self._http = http
        self._token: str | None = None
        self._until = 0.0
        self._signing_in = asyncio.Lock()

    def headers(self, token: str) -> dict[str, str]:
        return {"X-API-KEY": self._settings.api_key.get_secret_value(), "X-API-TOKEN": token}

    async def token(self, *, instead_of: str | None = None) -> str:
        """A token that is not `instead_of`. Signs in where there is none; raises like any read."""
        if self._fresh(instead_of) is None:
            async with self._signing_in:
                # Whoever waited here may find that another has just signed in.
                if self._fresh(instead_of) is None:
                    await self._sign_in()
        return self._token or ""

    async def renew(self) -> None:
        """Sign in whatever we hold."""
        async with self._signing_in:
            await self._sign_in()

    def _fresh(self, instead_of: str | None) -> str | None:
        usable = self._token != instead_of and time.monotonic() < self._until
        return self._token if usable else None

    async def _sign_in(self) -> None:
        who = {"username": self._settings.username, "password": self._settings.password.get_secret_value()}
        key = {"X-API-KEY": self._settings.api_key.get_secret_value()}
        answer = await self._http.read(
            "POST", self.base + "sign-in", json=who, headers=key, secret=True, accept={400, 401, 403, 422}
        )
        if answer.status >= 400:
            text = "Jadu does not accept our key, user name or password; mend the settings, then resume."
            raise Misconfigured(text, code="jadu_sign_in")
        said = answer.json()
        token = said.get("token") if isinstance(said, Mapping) else None
        if not isinstance(token, str) or not token:
            raise answer.puzzling("jadu_no_token")
        self._http.hide(token)
        self._token, self._until = token, time.monotonic() + self._settings.token_minutes * 60

"""Calls to one SOAP system: filled in, signed in, and their answers judged by the council's own tables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.soap.answers import Means, code_of, place
from connectors.soap.settings import Call, Exists, FaultKey, SignIn, SoapSettings
from connectors.soap.trees import filled, laid_over, placeholders
from hub.connector import (
    Delivery,
    DeliveryFailure,
    Http,
    Misconfigured,
    Refused,
    Said,
    Soap,
    Unavailable,
    UsernameToken,
)

Send = Callable[[Mapping[str, Any]], Awaitable[Said]]
Keys = frozenset[str | tuple[str, str]]

_WORDS: Mapping[Means, str] = {
    Means.REFUSED: "The system refused the record; mend the data or the mapping, then replay.",
    Means.BUSY: "The system is busy and did nothing; the hub tries again on schedule.",
    Means.MISCONFIGURED: "The system does not accept our key; mend the settings, then resume.",
    Means.EXPIRED: "The system ends every session at once; mend the settings of `sign_in`, then resume.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer and what it means."""

    means: Means
    said: Said
    below: etree._Element | None  #: what paths begin below: the answer, or a fault's detail
    rule: Exists | None = None
    code: str = ""
    reasons: tuple[str, ...] = ()

    def failure(self) -> DeliveryFailure:
        """What to raise where this is no success."""
        text = _WORDS.get(self.means)
        match self.means:
            case Means.REFUSED:
                return Refused(text, code=self.code, reasons=self.reasons)
            case Means.BUSY:
                return Unavailable(text, code=self.code, reasons=self.reasons)
            case Means.MISCONFIGURED:
                return Misconfigured(text, code=self.code, reasons=self.reasons)
            case Means.EXPIRED:  # right after we signed in: `check` finds out whether it is our key
                return Misconfigured(text, code=self.code, reasons=self.reasons, suspect=True)
            case _:
                return self.said.answer.puzzling(self.code or "soap_unclear")


class Speaker:
    """One council's SOAP system. Safe for any number of tasks at once: they share one session."""

    def __init__(self, settings: SoapSettings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._soap = _soap(settings, http)
        self._faults = {rule.key: rule for rule in settings.faults}
        self._token: str | None = None
        self._until = 0.0
        self._signing_in = asyncio.Lock()

    async def ask(self, call: Call, *, none: Sequence[FaultKey] = (), **values: Any) -> Heard:
        """Ask something. Raises like any read."""
        nothing: Keys = frozenset(each.key for each in none)

        async def send(known: Mapping[str, Any]) -> Said:
            tree, headers = self._filled(call, known)
            return await self._soap.read_tree(call.operation, tree, headers=headers, accept={*self._faults, *nothing})

        return await self._in_session(call, send, values, good=(Means.OK, Means.NONE), nothing=nothing)

    async def tell(
        self, delivery: Delivery, call: Call, *, record: Mapping[str, Any] | None = None, **values: Any
    ) -> Heard:
        """Make or change the case. Raises like any write."""
        values |= {"our_reference": delivery.our_reference, "received_at": delivery.received_at.isoformat()}
        sent = False

        async def send(known: Mapping[str, Any]) -> Said:
            nonlocal sent
            if sent:
                delivery.not_taken()  # the session had expired: the system said that it did nothing
            sent = True
            tree, headers = self._filled(call, known, record=record)
            return await self._soap.write_tree(
                delivery, call.operation, tree, headers=headers, accept=self._faults.keys()
            )

        return await self._in_session(call, send, values, good=(Means.OK, Means.DUPLICATE))

    async def sign_in(self) -> None:
        """Sign in whatever we hold; nothing where no session is wanted. Raises like any read."""
        if self._settings.sign_in is not None:
            async with self._signing_in:
                await self._renew(self._settings.sign_in)

    async def _in_session(
        self,
        call: Call,
        send: Send,
        values: Mapping[str, Any],
        *,
        good: Sequence[Means],
        nothing: Keys = frozenset(),
    ) -> Heard:
        token = await self._session()
        heard = self._judged(call, await send({**values, "token": token}), nothing=nothing)
        if heard.means is Means.EXPIRED:
            token = await self._session(instead_of=token)
            heard = self._judged(call, await send({**values, "token": token}), nothing=nothing)
        if heard.means not in good:
            raise heard.failure()
        return heard

    def _filled(
        self, call: Call, values: Mapping[str, Any], *, record: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        arguments = laid_over(self._settings.arguments, call.arguments)
        tree = laid_over(filled(arguments, values), record or {})
        return tree, filled(self._settings.headers, {**values, "operation": call.operation})

    def _judged(self, call: Call, said: Said, *, nothing: Keys = frozenset()) -> Heard:
        if said.fault is None:
            return judged(call, said)
        if said.fault.key_in(nothing) is not None:
            return Heard(means=Means.NONE, said=said, below=None)
        rule = self._faults[said.fault.key_in(self._faults.keys()) or ""]
        return Heard(
            means=rule.means,
            said=said,
            below=said.fault.element,
            rule=rule,
            code=f"fault_{rule.code}",
            reasons=tuple(filter(None, (said.fault.text, said.fault.detail))),
        )

    # The session

    async def _session(self, *, instead_of: str | None = None) -> str | None:
        """A token that is not `instead_of`; None where no session is wanted."""
        call = self._settings.sign_in
        if call is None:
            return None
        if self._fresh(instead_of) is None:
            async with self._signing_in:
                # Whoever waited here may find that another has just signed in.
                if self._fresh(instead_of) is None:
                    await self._renew(call)
        return self._token

    def _fresh(self, instead_of: str | None) -> str | None:
        return self._token if self._token != instead_of and time.monotonic() < self._until else None

    async def _renew(self, call: SignIn) -> None:
        try:
            heard = self._judged(call, await self._ask_for_token(call))
        except Refused as refusal:  # the arguments do not fit the WSDL, or a 400
            raise Misconfigured(str(refusal), code=refusal.code) from None
        except Unavailable as failure:  # whose reasons may hold a token
            raise Unavailable(str(failure), code=failure.code, retry_after=failure.retry_after) from None
        match heard.means:
            case Means.OK:
                pass
            case Means.BUSY:
                raise heard.failure()
            case Means.REFUSED | Means.MISCONFIGURED:
                raise Misconfigured(_WORDS[Means.MISCONFIGURED], code=heard.code, reasons=heard.reasons)
            case _:
                raise Unavailable(code=heard.code or "soap_unclear")
        token = place(call.token_at).text(heard.below)
        if not token:
            raise Unavailable("Signing in gave no token; the hub tries again on schedule.", code="soap_no_token")
        self._http.hide(token)
        self._token, self._until = token, time.monotonic() + call.minutes * 60

    async def _ask_for_token(self, call: SignIn) -> Said:
        headers = {
            name: each for name, each in self._settings.headers.items() if "token" not in placeholders({name: each})
        }
        soap = _soap(self._settings, self._http, sign_in=call)
        return await soap.read_tree(
            call.operation,
            call.arguments,
            headers=filled(headers, {"operation": call.operation}),
            accept=self._faults.keys(),
        )


def judged(call: Call, said: Said) -> Heard:
    """What an answer without a fault means: the first outcome that is not ok counts."""
    for rule in call.outcomes:
        value = place(rule.at).text(said.element)
        listed = value is not None and value in rule.values
        if value is None:
            means = rule.absent or rule.otherwise
        else:
            means = rule.values.get(value, rule.otherwise)
        if means is not Means.OK:
            words = place(rule.words).text(said.element) if rule.words is not None else None
            code = code_of(value, listed=listed)
            reasons = tuple(filter(None, (None if listed else value, words)))
            return Heard(means=means, said=said, below=said.element, rule=rule, code=code, reasons=reasons)
    return Heard(means=Means.OK, said=said, below=said.element)


def _soap(settings: SoapSettings, http: Http, *, sign_in: SignIn | None = None) -> Soap:
    """The seam as these settings have it; that of the sign-in may stand elsewhere."""
    token, basic = settings.security.username_token, settings.security.basic
    apart = sign_in if sign_in is not None and sign_in.wsdl is not None else settings
    return Soap(
        Path(apart.wsdl or settings.wsdl),
        http,
        address=(sign_in and sign_in.address) or settings.address,
        service=(sign_in and sign_in.service) or apart.service,
        port=(sign_in and sign_in.port) or apart.port,
        wsse=None
        if token is None
        else UsernameToken(
            username=token.username,
            password=token.password.get_secret_value(),
            digest=token.digest,
            lasts=None if token.timestamp is None else timedelta(seconds=token.timestamp),
            typed=token.typed,
            must_understand=token.must_understand,
            prefix=token.prefix,
        ),
        auth=None if basic is None else (basic.username, basic.password.get_secret_value()),
        action_quoted=settings.soap_action == "quoted",
        strict=settings.strict,
        secret=sign_in is not None,
        namespaces=settings.namespaces,
    )

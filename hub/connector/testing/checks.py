"""What the conformance kit asks of every connector, one function for each question."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr

from hub.connector.door import Operation
from hub.connector.testing.expectations import create_under, delivered, expect, is_named, must
from hub.connector.testing.later import attach, cancel, number, update
from hub.connector.testing.proofs import replay_safety
from hub.connector.testing.trial import NotShown, Outcome, Trial, has, nobody_listens
from hub.errors import Misconfigured, Refused, Unavailable, Unclear
from hub.model import ReplaySafety


async def declares(trial: Trial) -> None:
    """it declares what the hub needs to know"""
    kind = trial.connector_class
    must(re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", kind.name), "name must be small letters and digits, with _ or -")
    must((kind.__doc__ or "").strip(), "the class needs a docstring: it is shown to councils")
    must(issubclass(kind.Settings, BaseModel), "Settings must be a pydantic model")
    for name, operation in kind.operations.items():
        must(isinstance(operation, Operation), f"operations[{name!r}] must be an Operation")
        safety = operation.replay_safety
        if safety is ReplaySafety.LOOKUP:
            must(has(kind, "find"), f"{name} declares lookup; write find(our_reference)")
        if safety is ReplaySafety.LISTING:
            must(has(kind, "changes"), f"{name} declares listing; write changes(since)")
        must(operation.settle is None or operation.settle > timedelta(), f"{name} settles in no time; leave settle out")
    for verb in ("create", "update", "cancel", "attach", "find", "number", "check"):
        method = getattr(kind, verb, None)
        must(method is None or inspect.iscoroutinefunction(method), f"{verb} must be async def")
    changes = getattr(kind, "changes", None)
    must(changes is None or inspect.isasyncgenfunction(changes), "changes must be async def, and yield")
    plain = list(_plain_secrets(kind.Settings))
    must(not plain, f"settings {', '.join(plain)} look secret; make them SecretStr")


async def delivers(trial: Trial) -> None:
    """a create makes one case and returns its reference"""
    async with trial.connector() as connector:
        outcome = await trial.create(connector)
    row = outcome.rows[0] if outcome.rows else {}
    is_named(delivered(outcome), row["reference"])
    must(row["our_reference"] == outcome.delivery.our_reference, "our reference did not reach the back office")


async def marks(trial: Trial) -> None:
    """it marks the write before it leaves, and the case as soon as it is taken"""
    async with trial.connector() as connector:
        outcome = await trial.create(connector)
    delivered(outcome)
    must(outcome.rows_when_sending is not None, "nothing was marked: make the case with http.write or soap.write")
    must(outcome.rows_when_sending == 0, "the case was there before the write was marked: it was made by a read")
    must(outcome.delivery.taken, "delivery.took(reference) was not called")


async def refused(trial: Trial) -> None:
    """a business error is Refused, and nothing is there"""
    await create_under(trial, "refuse", Refused, rows=0)


async def unavailable(trial: Trial) -> None:
    """503 is Unavailable, and nothing is there"""
    await create_under(trial, "unavailable", Unavailable, rows=0)


async def rate_limited(trial: Trial) -> None:
    """429 is Unavailable and keeps the time it was given"""
    outcome = await create_under(trial, "rate_limited", Unavailable, rows=0, seconds=7)
    waits = getattr(outcome.raised, "retry_after", None)
    must(not trial.office.tells_when or waits == timedelta(seconds=7), f"Retry-After was 7 s, the failure says {waits}")


async def nobody(trial: Trial) -> None:
    """an address where nobody listens is Unavailable"""
    if not trial.office.listens:
        raise NotShown("nobody listens on its wire")
    async with trial.connector(url=nobody_listens()) as connector:
        outcome = await trial.create(connector)
    expect(outcome, Unavailable, rows=0)


async def slow(trial: Trial) -> None:
    """a slow answer within the deadline is a receipt, and the event loop turns meanwhile"""
    if trial.shows("slow"):
        await trial.behave("slow", seconds=0.3)
    async with trial.connector() as connector:
        outcome = await trial.create(connector)
    delivered(outcome)
    done = ", ".join(sorted(set(outcome.on_the_loop)))
    must(not done, f"{done} holds up the event loop: give file work to `line.apart`")
    turned = outcome.ticks >= 3 or not trial.shows("slow")
    must(turned, "the event loop stood still: the call blocks; use the http and soap that you are given")


async def timeout(trial: Trial) -> None:
    """no answer is Unclear, though nothing is there"""
    _in_time(trial, await create_under(trial, "timeout", Unclear, rows=0, hasty=trial.deadline))


async def commit_then_timeout(trial: Trial) -> None:
    """a case that is made and never confirmed is Unclear"""
    _in_time(trial, await create_under(trial, "commit_then_timeout", Unclear, rows=1, hasty=trial.deadline))


async def commit_then_drop(trial: Trial) -> None:
    """a connection that breaks after the case is made is Unclear"""
    await create_under(trial, "commit_then_drop", Unclear, rows=1)


async def drip(trial: Trial) -> None:
    """an answer that drips is cut off by the total deadline, and is Unclear"""
    _in_time(trial, await create_under(trial, "drip", Unclear, rows=1, seconds=0.2, hasty=trial.deadline))


async def html_error(trial: Trial) -> None:
    """a web page with status 200 is Unclear"""
    await create_under(trial, "html_error", Unclear, rows=0)


async def fault(trial: Trial) -> None:
    """a failure that nobody explains is Unclear"""
    await create_under(trial, "fault", Unclear, rows=0)


async def bad_auth(trial: Trial) -> None:
    """a key that is not known is Misconfigured, and check() says so too"""
    await create_under(trial, "bad_auth", Misconfigured, rows=0)
    check = _check_of(trial)
    if check is not None:
        await trial.behave("bad_auth")
        must(not await check(), "check() says that all is well")


async def expired_session(trial: Trial) -> None:
    """an expired session is renewed once; where there are none it is Misconfigured"""
    await trial.behave("ok")
    async with trial.connector() as connector:
        await trial.create(connector)
        await trial.behave("expired_session")
        outcome = await trial.create(connector)
    if outcome.raised is None:
        delivered(outcome)
    else:
        expect(outcome, Misconfigured, rows=0)


async def reads(trial: Trial) -> None:
    """what is read or signed in beside the write is never Unclear, and never forgets a case that was made"""
    for at in ("login", "read"):
        for mode in ("timeout", "fault", "html_error"):
            await trial.behave(mode, at=at)
            async with trial.connector(deadline=trial.deadline) as connector:
                outcome = await trial.create(connector)
            made = outcome.delivery.taken is not None
            must(made or not outcome.rows, "the case is there, and took(…) was not called before a read failed")
            if outcome.raised is not None and not made:
                expect(outcome, Unavailable, rows=0)


async def together(trial: Trial) -> None:
    """eight at once are eight cases"""
    await trial.behave("ok")
    async with trial.connector() as connector:
        await trial.create(connector)
        outcomes = await asyncio.gather(*(trial.create(connector, keep_rows=True) for _ in range(8)))
    raised = [one for one in outcomes if one.raised is not None]
    must(not raised, f"{len(raised)} of 8 failed, the first with {raised[0] if raised else ''}")
    references = {one.receipt.reference or one.receipt.token for one in outcomes if one.receipt}
    must(len(references) == 8, f"8 creates returned {len(references)} references")


async def healthy(trial: Trial) -> None:
    """check() passes and changes nothing"""
    await trial.behave("ok")
    check = _check_of(trial)
    if check is None:
        return
    before = len(await trial.rows())
    must(await check(), "check() fails on a back office that behaves")
    must(len(await trial.rows()) == before, "check() made a case")


async def secrets(trial: Trial) -> None:
    """no secret stands in evidence, and no word of the record in an error's text"""
    hidden = trial.secrets()
    for one in trial.evidence:
        kept = f"{one.url} {one.request_headers} {one.response_headers} ".encode() + one.request + one.response
        must(not any(secret.encode() in kept for secret in hidden), "a secret of the settings stands in the evidence")
    words = [word for word in _words(trial.record) if len(word) >= 8]
    for failure in trial.failures:
        must(not any(word in str(failure) for word in words), f"{failure.code} quotes the record in its text")


def _in_time(trial: Trial, outcome: Outcome) -> None:
    allowed = trial.deadline * 2 + timedelta(seconds=1)
    must(outcome.took < allowed, f"it took {outcome.took.total_seconds():.1f} s; the deadline did not cut it off")


def _check_of(trial: Trial) -> Callable[[], Awaitable[bool]] | None:
    if not has(trial.connector_class, "check"):
        return None

    async def check() -> bool:
        async with trial.connector() as connector:
            made: Any = connector
            return bool((await made.check()).ok)

    return check


def _plain_secrets(settings: type[BaseModel]) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        looks_secret = re.search(r"(^|_)(key|password|secret|token)$", name)
        if looks_secret and SecretStr.__name__ not in str(field.annotation):
            yield name


def _words(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _words(inner)
        case list():
            for inner in value:
                yield from _words(inner)
        case _:
            return


#: In the order they are asked; `secrets` last, since it looks at what the others left.
ALL: tuple[Callable[[Trial], Coroutine[Any, Any, None]], ...] = (
    declares,
    delivers,
    marks,
    healthy,
    refused,
    unavailable,
    rate_limited,
    nobody,
    slow,
    timeout,
    commit_then_timeout,
    commit_then_drop,
    drip,
    html_error,
    fault,
    bad_auth,
    expired_session,
    reads,
    together,
    replay_safety,
    number,
    attach,
    update,
    cancel,
    secrets,
)

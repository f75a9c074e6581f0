"""From due to done: what each answer, and each silence, of a council's system leads to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hub.assembly import Core, Hub, RunRole, make_hub, now, running, web_app
from hub.connector import Delivery, Health, Http, Misconfigured, Operation, Receipt, Refused, ReplaySafety, Unavailable
from hub.dispatch import evidence
from hub.generation import CurrentCouncils
from hub.intake.taking import Letter, take
from hub.model import FrontEnd, StepState
from hub.registry import Registry
from hub.settings import Settings
from hub.store import canaries, deliveries, destinations
from hub.store.ids import uuid7
from hub.store.store import Store
from hub.store.submissions import DeliveryView
from tests.bodies import MARKER, complaint
from tests.stores import HASHER, SEALER, lay

COUNCIL = """\
council: Northborough
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
  crm: {connector: %s, settings: {}, limits: {concurrency: 4, timeout: 1s}, retry: [1s, 1s], settle: %s}
routes:
  - {service: complaint, to: crm, mapping: complaint.yaml, name: complaint}
"""
MAPPING = """\
service: complaint
connector: %s
create:
  operation: Create
  record: {area: "{{ details.service_area }}"%s}
"""

Answer = Callable[[Delivery], Any]


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    area: str
    text: Annotated[str, Field(pattern=r"^[^Z]*$")] = ""  # a rule that only a resident's own words break


async def written(delivery: Delivery) -> None:
    """What the seam does before a write leaves."""
    await delivery.sending()


@dataclass
class Script:
    """What the pretend product answers, one call after another; the last answer holds."""

    answers: list[Answer] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    well: bool = True


def product(script: Script, *, safety: ReplaySafety = ReplaySafety.UNSAFE, checks: bool = True) -> type[Any]:
    """A connector class that answers as the script says."""

    class Scripted:
        """A product in a test."""

        name: ClassVar[str] = "scripted"
        simulator: ClassVar[str] = ""
        Settings: ClassVar[type[BaseModel]] = Nothing
        operations: ClassVar[dict[str, Operation]] = {"Create": Operation(Record, replay_safety=safety)}

        def __init__(self, settings: Nothing, http: Http) -> None: ...

        async def create(self, record: Record, delivery: Delivery) -> Receipt:
            script.calls.append(delivery.our_reference)
            script.records.append(record.model_dump(exclude_defaults=True))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            found: Receipt = await answer(delivery)
            return found

    class Checked(Scripted):
        async def check(self) -> Health:
            return Health(ok=script.well)

    return Checked if checks else Scripted


@dataclass
class Bench:
    """A hub in this process, and what a test asks of it."""

    hub: Hub
    folder: Path
    front_end: FrontEnd = field(
        default_factory=lambda: FrontEnd(id=uuid7(), name="tests", councils=None, services=None)
    )

    @property
    def store(self) -> Store:
        return self.hub.core.store

    async def publish(self) -> str:
        app: Any = web_app(self.hub)
        letter = Letter(front_end=self.front_end, raw=json.dumps(complaint()).encode(), received_at=now())
        return str((await take(letter, deps=app.state.room.deps)).id)

    async def delivery(self, submission: str) -> DeliveryView:
        wanted = deliveries.DeliveryFilter(submission=submission)
        return (await self.store.read(lambda c: deliveries.page(c, wanted))).items[0]

    async def until(self, submission: str, *states: StepState) -> DeliveryView:
        async with asyncio.timeout(20):
            while (view := await self.delivery(submission)).state not in states:
                await asyncio.sleep(0.02)
        return view

    async def evidence(self, view: DeliveryView) -> dict[str, Any]:
        attempt = (await self.store.read(lambda c: deliveries.attempts(c, view.id)))[-1]
        assert attempt.evidence is not None
        return evidence.unsealed(self.store.sealer, attempt.id, attempt.evidence)


@asynccontextmanager
async def bench(folder: Path, connector: type[Any], *, extra: str = "", settle: str = "1s") -> AsyncIterator[Bench]:
    council = folder / "mappings" / "northborough"
    council.mkdir(parents=True)
    (council / "council.yaml").write_text(COUNCIL % ("scripted", settle))
    (council / "complaint.yaml").write_text(MAPPING % ("scripted", extra))
    settings = Settings.read(
        {
            "HUB_DATABASE_URL": f"sqlite:///{folder}/hub.db",
            "HUB_TICK": "100ms",
            "HUB_MAPPINGS": str(folder / "mappings"),
        }
    )
    store = Store(settings.database_url, sealer=SEALER, hasher=HASHER)
    try:
        lay(store, settings.database_url)
        store.transact_now(lambda c: canaries.check(c, SEALER, HASHER))
        registry = Registry({"scripted": connector})
        councils = CurrentCouncils(store, registry=registry, secrets=str)
        councils.adopt(settings.mappings, by="tests")
        core = Core(settings=settings, store=store, registry=registry, councils=councils)
        async with running(make_hub(core, RunRole.ALL)) as hub:
            yield Bench(hub=hub, folder=folder)
    finally:
        store.close()


async def delivered(delivery: Delivery) -> Receipt:
    await written(delivery)
    return Receipt(reference="C-1")


def raising(failure: Exception, *, after_write: bool = True) -> Answer:
    async def answer(delivery: Delivery) -> Receipt:
        if after_write:
            await written(delivery)
        raise failure

    return answer


async def silence(delivery: Delivery) -> Receipt:
    await written(delivery)
    await asyncio.sleep(60)
    raise AssertionError


async def silent_read(delivery: Delivery) -> Receipt:
    await asyncio.sleep(60)
    raise AssertionError


async def test_a_bug_in_a_connector_is_a_doubt_and_its_message_is_kept_out(tmp_path: Path) -> None:
    async with bench(tmp_path, product(Script([raising(KeyError(MARKER))]))) as here:
        view = await here.until(await here.publish(), StepState.UNCLEAR)
        told = await here.evidence(view)
    assert view.fault_code == "connector_bug_KeyError"
    assert told["bug"]["type"] == "KeyError" and MARKER not in json.dumps(told)


async def test_a_system_that_never_answers_a_write_is_a_doubt(tmp_path: Path) -> None:
    async with bench(tmp_path, product(Script([silence]))) as here:
        view = await here.until(await here.publish(), StepState.UNCLEAR)
    assert (view.fault_code, view.attempts) == ("deadline", 1)


async def test_a_system_that_never_answers_a_read_is_asked_again(tmp_path: Path) -> None:
    script = Script([silent_read, delivered])
    async with bench(tmp_path, product(script)) as here:
        view = await here.until(await here.publish(), StepState.DELIVERED)
    assert (view.reference, view.attempts) == ("C-1", 2)


async def test_what_was_taken_is_delivered_whatever_comes_after(tmp_path: Path) -> None:
    async def taken(delivery: Delivery) -> Receipt:
        await written(delivery)
        await delivery.took("token-1")
        raise Unavailable(code="number_later")

    script = Script([taken])
    async with bench(tmp_path, product(script)) as here:
        view = await here.until(await here.publish(), StepState.DELIVERED, StepState.UNCLEAR, StepState.DEAD)
        await asyncio.sleep(1.2)
    assert (view.state, view.reference, len(script.calls)) == (StepState.DELIVERED, "token-1", 1)


async def test_a_wrong_key_pauses_and_a_resume_sends_it_with_its_attempts_unused(tmp_path: Path) -> None:
    script = Script([raising(Misconfigured(), after_write=False), delivered])
    async with bench(tmp_path, product(script)) as here:
        submission = await here.publish()
        async with asyncio.timeout(20):
            while not (held := await here.delivery(submission)).health.paused or held.state is StepState.SENDING:
                await asyncio.sleep(0.02)
        await here.store.transact(lambda c: destinations.resume(c, "northborough/crm"))
        view = await here.until(submission, StepState.DELIVERED)
    assert (held.state, held.attempts_used, view.attempts) == (StepState.QUEUED, 0, 2)


@pytest.mark.parametrize(("well", "state"), [(True, StepState.DEAD), (False, StepState.QUEUED)])
async def test_a_suspect_answer_is_checked_before_it_is_believed(tmp_path: Path, well: bool, state: StepState) -> None:
    script = Script([raising(Misconfigured(suspect=True, code="http_403"))], well=well)
    async with bench(tmp_path, product(script)) as here:
        submission = await here.publish()
        async with asyncio.timeout(20):
            while (view := await here.delivery(submission)).state is not state or view.health.paused is well:
                await asyncio.sleep(0.02)
    assert (view.state, view.health.paused) == (state, not well)


async def test_without_a_check_the_third_different_submission_in_a_row_decides(tmp_path: Path) -> None:
    script = Script([raising(Misconfigured(suspect=True, code="http_403"))])
    async with bench(tmp_path, product(script, checks=False)) as here:
        views = [await here.until(await here.publish(), StepState.DEAD) for _ in range(2)]
        third = await here.publish()
        async with asyncio.timeout(20):
            while not (last := await here.delivery(third)).health.paused or last.state is StepState.SENDING:
                await asyncio.sleep(0.02)
    assert [view.state for view in views] == [StepState.DEAD, StepState.DEAD]
    assert (last.state, last.attempts_used) == (StepState.QUEUED, 0)


async def test_the_ladder_ends_in_a_dead_letter(tmp_path: Path) -> None:
    script = Script([raising(Unavailable(code="http_503"))])
    async with bench(tmp_path, product(script)) as here:
        view = await here.until(await here.publish(), StepState.DEAD)
    assert (view.attempts, view.fault_code) == (3, "http_503")


async def test_an_unclear_write_is_repeated_only_where_that_is_harmless(tmp_path: Path) -> None:
    script = Script([silence, delivered])
    async with bench(tmp_path, product(script, safety=ReplaySafety.IDEMPOTENT)) as here:
        view = await here.until(await here.publish(), StepState.DELIVERED)
    assert len(script.calls) == 2 and len(set(script.calls)) == 1
    assert view.attempts == 2


async def test_a_lost_bell_costs_a_tick_and_no_more(tmp_path: Path) -> None:
    async with bench(tmp_path, product(Script([delivered]))) as here:
        await asyncio.to_thread(here.hub.bell.stop)
        view = await here.until(await here.publish(), StepState.DELIVERED)
    assert view.attempts == 1


async def test_a_record_that_does_not_fit_is_stopped_before_anything_is_sent(tmp_path: Path) -> None:
    script = Script([delivered])
    connector = product(script)
    async with bench(tmp_path, connector, extra=', text: "{{ details.what_happened }}"') as here:
        view = await here.until(await here.publish(), StepState.DEAD)
        told = await here.evidence(view)
    assert not script.calls
    assert (
        view.fault_code == "record"
        and "text: string pattern mismatch" in told["mapping"]["problem"]
        and MARKER not in json.dumps(told)
    )


async def test_the_destinations_own_words_are_kept_sealed(tmp_path: Path) -> None:
    script = Script([raising(Refused(code="crm_7", reasons=[f"{MARKER} is not known"]))])
    async with bench(tmp_path, product(script)) as here:
        view = await here.until(await here.publish(), StepState.DEAD)
        told = await here.evidence(view)
    assert view.fault_code == "crm_7" and told["reasons"] == [f"{MARKER} is not known"]

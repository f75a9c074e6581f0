"""A fuzz of every door: no 5xx, nobody left without an answer, no growing memory, and every promise kept.

2,000 bodies, in less than a minute. `HUB_TEST_FUZZ=20000 make test ARGS="tests/acceptance/test_fuzz.py -s"` throws that
many and prints what was answered; `HUB_TEST_FUZZ_SEED=7` throws others. What fails is named by a seed of its own:
`Doors.shot(random.Random(SEED))` makes the same request again, but for keys and the ids in its address.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from lxml import etree

from hub.store import tables
from tests.bodies import missed_bin
from tests.doors import Doors
from tests.fuzzing import Shot
from tests.towns import Town
from tests.wide import things, wide_town

BODIES = int(os.environ.get("HUB_TEST_FUZZ", "2000"))
SEED = os.environ.get("HUB_TEST_FUZZ_SEED", "20261124")
AT_ONCE = 8
PATIENCE = 10.0  #: seconds
#: KiB between the second and the last quarter, by database; a leak of a body a request would be many times that.
#: SQLite's writer fills a page cache of 64 MiB of its own as the file grows.
GROWTH = {"postgresql": 64 * 1024, "sqlite": 128 * 1024}

pytestmark = pytest.mark.timeout(180 + BODIES // 10)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.rabbitmq])])
def wide(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    broker = request.getfixturevalue("rabbitmq_url") if request.param == "postgres" else "memory://"
    with wide_town(tmp_path, database_url=url, broker_url=broker) as made:
        yield made


def doors_of(town: Town) -> Doors:
    return Doors(
        key=town.key, token=town.token, there=things(town), today=datetime.now(ZoneInfo("Europe/London")).date()
    )


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def kind(self) -> str:
        return self.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]


async def asked(port: int, shot: Shot) -> Answer | None:
    """Its answer; None where the hub hung up on what it was told untruly. Raises TimeoutError."""
    length = len(shot.body) if shot.length is None else shot.length
    lines = [shot.method.encode() + b" " + shot.path + b" HTTP/1.1", b"Host: hub", b"Connection: close"]
    lines += [name + b": " + value for name, value in shot.headers]
    if shot.body or shot.length is not None:
        lines.append(b"Content-Length: %d" % length)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    try:
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):  # it may say no before it has read all, and that is read below
                writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + shot.body)
                await writer.drain()
                if length > len(shot.body):
                    writer.write_eof()  # the rest never comes
            return await _answer(reader, head=shot.method == "HEAD")
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, *, head: bool) -> Answer | None:
    try:
        while True:
            raw = await reader.readuntil(b"\r\n\r\n")
            first, *rest = raw[:-4].split(b"\r\n")
            status = int(first.split(b" ")[1])
            if status != 100:
                break
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in rest)}
        size = 0 if head else int(headers.get(b"content-length", b"0"))
        return Answer(status, headers, await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


@dataclass(slots=True)
class Account:
    """What was answered, what was promised, and what was wrong."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    references: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)

    def hear(self, seed: str, door: str, shot: Shot, answer: Answer | None) -> None:
        where = f"{seed} {door}: {shot.method} {shot.path[:120]!r}"
        if answer is None:
            self.statuses[door, 0] += 1
            if shot.length is None:
                self.faults.append(f"{where}: hung up without an answer")
            return
        self.statuses[door, answer.status] += 1
        if answer.status >= 500 and not _away(answer):
            self.faults.append(f"{where}: {answer.status} {answer.body[:300]!r}")
        try:
            told = _read(answer)
        except (ValueError, etree.XMLSyntaxError) as failure:
            self.faults.append(f"{where}: {answer.status} that cannot be read: {failure} {answer.body[:200]!r}")
            return
        if answer.status in (200, 201, 202) and shot.method in ("POST", "PUT"):
            self._keep(shot.path.partition(b"?")[0], told)

    def told(self, took: float) -> str:
        """In numbers."""
        answers: dict[str, dict[int, int]] = {}
        for (door, status), count in sorted(self.statuses.items()):
            answers.setdefault(door, {})[status] = count
        memory = f"{growth(self.resident) / 1024:+.1f} MiB, at most {max(self.resident) // 1024} MiB"
        promised = f"{len(self.references)} references, {len(self.said)} follow-ups, {len(self.files)} files"
        lines = [f"{BODIES} in {took:.0f} s; {memory}; {promised}", *(f"{door}: {of}" for door, of in answers.items())]
        return "\n".join(lines)

    def _keep(self, path: bytes, told: Any) -> None:
        match told:
            case {"items": [*items]}:
                self.references |= {item["reference"] for item in items if item.get("http_status") == 202}
            case {"id": id, "sha256": _}:
                self.files.add(id)
            case {"id": id, "kind": "comment" | "cancel" | "evidence"}:
                self.said.add(id)
            case {"reference": str(reference)} if path.startswith((b"/v1/submissions", b"/intake/")):
                self.references.add(reference)
            case {"status": "OK", "ref": reference}:
                self.references.add(reference)
            case [{"service_request_id": reference}]:
                self.references.add(reference)
            case _:
                pass


def _away(answer: Answer) -> bool:
    """The one 5xx that is no mistake: the store is away, and it says when to come again."""
    return answer.status == 503 and b"retry-after" in answer.headers


def _read(answer: Answer) -> Any:
    if not answer.body:
        return None
    if answer.kind.endswith("json"):
        return json.loads(answer.body)
    if answer.kind == "text/xml":
        numbers = etree.fromstring(answer.body).findall("request/service_request_id")
        return [{"service_request_id": numbers[0].text}] if len(numbers) == 1 else None
    return answer.body.decode()


def resident(town: Town) -> int:
    """What the hub holds in memory, in KiB; 0 where the system does not say."""
    status = Path(f"/proc/{town.processes[0].popen.pid}/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) if found else 0


async def fuzzed(town: Town, doors: Doors) -> Account:
    account, numbers = Account(), iter(range(BODIES))
    port = urlsplit(town.url).port
    assert port is not None

    async def shoot() -> None:
        for number in numbers:
            seed = f"{SEED}-{number}"
            # Elsewhere: the others would fall silent in the middle of what they send.
            door, shot = await asyncio.to_thread(doors.shot, random.Random(seed))
            try:
                account.hear(seed, door, shot, await asked(port, shot))
            except TimeoutError:
                account.faults.append(f"{seed} {door}: {shot.method} {shot.path[:120]!r}: no answer in {PATIENCE} s")
            if number % max(BODIES // 200, 1) == 0:
                account.resident.append(resident(town))

    await asyncio.gather(*(shoot() for _ in range(AT_ONCE)))
    return account


def missing(url: str, account: Account) -> dict[str, set[str]]:
    """What was promised and is not in the store."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:

        def column(wanted: sa.Column[Any]) -> set[str]:
            return set(connection.execute(sa.select(wanted)).scalars())

        kept = column(tables.submission.c.reference) | column(tables.received.c.reference)
        found = {
            "references": account.references - kept,
            "follow-ups": account.said - column(tables.follow_up.c.id),
            "files": account.files - column(tables.attachment.c.id),
        }
    return {name: ids for name, ids in found.items() if ids}


def growth(samples: list[int]) -> float:
    """KiB between the middle of the second quarter and that of the last."""
    quarter = len(samples) // 4
    return statistics.median(samples[-quarter:]) - statistics.median(samples[quarter : 2 * quarter])


def test_whatever_is_thrown_at_the_doors_is_answered_and_every_promise_is_kept(wide: Town) -> None:
    doors, began = doors_of(wide), time.monotonic()
    account = asyncio.run(fuzzed(wide, doors))
    took = time.monotonic() - began
    print(account.told(took))
    assert not account.faults, f"{len(account.faults)} faults:\n" + "\n".join(account.faults[:20])
    assert missing(wide.environment["HUB_DATABASE_URL"], account) == {}
    assert len(account.references) > BODIES // 20
    assert growth(account.resident) < GROWTH[urlsplit(wide.environment["HUB_DATABASE_URL"]).scheme.partition("+")[0]]
    wide.until(wide.publish(missed_bin(channel="api")), lambda told: told["status"] == "delivered", seconds=60)

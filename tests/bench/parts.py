"""Own CPU of each part of a message's way, in microseconds: one thread, nothing else running."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from hub import standard
from hub.connector import Http, http_evidence
from hub.connector.testing import spawn
from hub.councils import load, read_tree
from hub.dispatch import evidence
from hub.model import Receipt, ReplaySafety
from hub.registry import Registry
from hub.store import claims, sequencer
from tests.bench.rig import _write_files, complaint, missed_bin
from tests.stores import SEALER, WASTE, accept, conclude, open_store, terms

ROUNDS = 1_000


def parts() -> dict[str, float]:
    """Each part by name."""
    asyncio.run(_store())  # statements are compiled on first use
    return {**_pure(), **asyncio.run(_store()), **asyncio.run(_spoken())}


def _timed(work: Callable[[], Any], *, rounds: int = ROUNDS) -> float:
    work()
    started = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - started) / rounds * 1e6


def _pure() -> dict[str, float]:
    raw, today = complaint(1), date(2026, 11, 23)
    read = standard.read(raw, today=today)
    with tempfile.TemporaryDirectory() as folder:
        _write_files(Path(folder))
        loaded = load(read_tree(Path(folder) / "mappings"), registry=Registry.discover(), secrets=None, cases=False)
    council = loaded.draft.find("benchton")
    hub = {"our_reference": "ABCD-EFGH", "reference": "ABCD-EFGH", "received_at": "2026-11-23T09:00:00Z",
           "council": "benchton", "warnings": []}  # fmt: skip
    rest, soap = council.route("complaint->rest"), council.route("missed-bin->soap")
    bin_data = standard.read(missed_bin(1), today=today).data
    sealed = SEALER.seal(raw, place="p")
    return {
        "read and validate": _timed(lambda: standard.read(raw, today=today)),
        "seal": _timed(lambda: SEALER.seal(raw, place="p")),
        "open": _timed(lambda: SEALER.open(sealed, place="p")),
        "map (18 leaves, REST)": _timed(lambda: rest.record("create", rest.context(read.data, hub))),
        "map (split, SOAP)": _timed(lambda: soap.record("create", soap.context(bin_data, hub), item_index=0)),
    }


async def _store() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/hub.db", cap=64)
        thoughts = [accept() for _ in range(ROUNDS)]
        accepted = await _spent(lambda: asyncio.gather(*[store.write(one) for one in thoughts]))
        found: list[Any] = []
        chosen = terms(safety=ReplaySafety.IDEMPOTENT)
        claiming = concluding = 0.0
        while len(found) < ROUNDS:
            started = time.process_time()
            claim = await store.transact(lambda c: claims.claim(c, WASTE, limit=64, terms=chosen))
            claiming += time.process_time() - started
            done = [conclude(one, evidence=b"e" * 1500) for one in claim.claimed]
            concluding += await _spent(lambda done=done: asyncio.gather(*[store.write(one) for one in done]))  # type: ignore[misc]
            found.extend(claim.claimed)
        numbering = await _spent(lambda: store.transact(lambda c: sequencer.sequence(c, limit=2 * ROUNDS)))
        store.close()
    each = 1e6 / ROUNDS
    return {
        "commit an accept": accepted * each,
        "claim": claiming * each,
        "conclude": concluding * each,
        "number two events": numbering * each,
    }


async def _spoken() -> dict[str, float]:
    """The seam alone, evidence included, against a back office in a process of its own."""
    with spawn("hub.connector.testing.scriptable_simulator:app") as office:
        http = Http()

        async def call() -> None:
            with http_evidence() as log:
                await http.read("GET", f"{office.url}/cases", params={"our_reference": "-"})
            SEALER.seal(evidence.gather(log, Receipt()), place="p")

        async def many() -> None:
            for _ in range(ROUNDS // 32):
                await asyncio.gather(*[call() for _ in range(32)])

        await many()
        spent = await _spent(many)
        await http.close()
    return {"HTTP call with evidence": spent / (ROUNDS // 32 * 32) * 1e6}


async def _spent(work: Callable[[], Any]) -> float:
    started = time.process_time()
    await work()
    return time.process_time() - started

"""`make bench`: accept rate, end-to-end rate, latency, CPU per message and memory, with how they were measured."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import load
from tests.bench.parts import parts
from tests.bench.rig import Rig, complaint, missed_bin, request, rig, yardstick

CONNECTIONS = 32


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--messages", type=int, default=6_000, help="for each flat-out run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    runs = [one_run(chosen.messages) for _ in range(chosen.runs)]
    figures: dict[str, Any] = {name: median(run[name] for run in runs) for name in runs[0]}
    report = {"machine": machine(), "figures": figures, "runs": runs, "parts_us": parts()}
    if chosen.json:
        json.dump(report, sys.stdout, indent=2)
        return
    print("\n".join(table(report)))


def one_run(messages: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, yardstick(Path(folder)) as bare:
        flat_out(bare, complaint, 500)
        skeleton = flat_out(bare, complaint, messages)
    with tempfile.TemporaryDirectory() as folder, rig(Path(folder)) as hub:
        flat_out(hub, complaint, 500)  # warm: caches, connections, compiled mappings
        rest = flat_out(hub, complaint, messages)
        soap = flat_out(hub, missed_bin, messages)
        steady = asyncio.run(send(hub, complaint, 2_000, per_second=200))
        settle(hub)
        return {
            "rest_accept_per_s": rest["accept"],
            "rest_deliveries_per_s": rest["deliver"],
            "rest_cpu_ms": rest["cpu"],
            "soap_accept_per_s": soap["accept"],
            "soap_deliveries_per_s": soap["deliver"],
            "soap_cpu_ms": soap["cpu"],
            "accept_p50_ms_at_200": steady.percentile(0.5) * 1000,
            "accept_p95_ms_at_200": steady.percentile(0.95) * 1000,
            "rss_mb": hub.rss / 2**20,
            "skeleton_deliveries_per_s": skeleton["deliver"],
            "skeleton_cpu_ms": skeleton["cpu"],
            "rest_share_of_skeleton": rest["deliver"] / skeleton["deliver"],
        }


async def send(hub: Rig, body: Callable[[int], bytes], number: int, *, per_second: float | None = None) -> load.Sent:
    requests = iter([request(body(index)) for index in range(number)])
    sent = await load.send("127.0.0.1", hub.port, requests, connections=CONNECTIONS, per_second=per_second)
    if set(sent.statuses) != {202}:
        raise SystemExit(f"not everything was accepted: {sent.statuses}")
    return sent


def flat_out(hub: Rig, body: Callable[[int], bytes], number: int) -> dict[str, float]:
    """Accept and deliver `number` as fast as it goes; rates are over the time until the last is delivered."""
    before, cpu = hub.delivered(), hub.cpu
    started = time.perf_counter()
    sent = asyncio.run(send(hub, body, number))
    while hub.delivered() - before < number:
        if time.perf_counter() - started > 300:
            raise SystemExit(f"only {hub.delivered() - before} of {number} were delivered in 300 s")
        time.sleep(0.05)
    seconds = time.perf_counter() - started
    return {"accept": sent.rate, "deliver": number / seconds, "cpu": (hub.cpu - cpu) / number * 1000}


def settle(hub: Rig) -> None:
    while True:
        before = hub.delivered()
        time.sleep(0.5)
        if hub.delivered() == before:
            return


def machine() -> dict[str, str]:
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "system": platform.platform(),
        "durability": "SQLite WAL, synchronous=FULL: every 202 and every outcome is on disk",
        "payload": f"{len(complaint(1))} bytes (REST), {len(missed_bin(1))} bytes (SOAP)",
        "setup": f"one hub process; back offices and load in processes of their own; {CONNECTIONS} connections",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def table(report: dict[str, Any]) -> list[str]:
    lines = [f"{name:<12} {value}" for name, value in report["machine"].items()]
    lines += ["", f"{'figure':<28} {'median':>10}   runs"]
    for name, value in report["figures"].items():
        each = ", ".join(f"{run[name]:.2f}" for run in report["runs"])
        lines.append(f"{name:<28} {value:>10.2f}   {each}")
    lines += ["", f"{'part (own CPU)':<28} {'µs':>10}"]
    lines += [f"{name:<28} {value:>10.1f}" for name, value in report["parts_us"].items()]
    return lines


if __name__ == "__main__":
    main()

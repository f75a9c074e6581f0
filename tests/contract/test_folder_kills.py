"""Workers that are killed at any moment put each file into the folder once, though it is picked up at once."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = 250
WORKER = """
import asyncio, sys
from pathlib import Path
from tests.drops import document, folder
from tests.offices import delivery

async def work() -> None:
    connector = folder(Path(sys.argv[1]))
    print("ready", flush=True)
    for n in range(int(sys.argv[2]), int(sys.argv[3])):
        await connector.create(document(n=n), delivery("create", our_reference=f"KTST-{n:04d}"))
        print(n, flush=True)

asyncio.run(work())
"""


class Picker(threading.Thread):
    """Takes every file away as soon as it is there, and counts."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.taken: Counter[str] = Counter()
        self.halves: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.001):
            self.pick()
        self.pick()

    def pick(self) -> None:
        for path in list(self.folder.iterdir()):
            if not path.name.startswith("."):
                self.halves += [path.name] if not path.read_bytes().endswith(b"}\n") else []
                self.taken[path.name] += 1
                path.unlink()


def work_until_killed(folder: Path, first: int, dice: random.Random) -> tuple[int, bool]:
    """Where the next worker begins, and whether this one was killed."""
    command = [sys.executable, "-c", WORKER, str(folder), str(first), str(FILES)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
        killer = threading.Timer(dice.uniform(0.01, 0.25), worker.kill)
        killer.start()
        for line in worker.stdout:
            first = int(line) + 1
        killer.cancel()
    return first, worker.returncode != 0


@pytest.mark.timeout(120)
def test_no_kill_loses_a_file_or_puts_it_there_twice(tmp_path: Path) -> None:
    dice, first, kills = random.Random(1), 0, 0
    picker = Picker(tmp_path)
    picker.start()
    try:
        while first < FILES:
            first, killed = work_until_killed(tmp_path, first, dice)
            kills += killed
    finally:
        picker.ended.set()
        picker.join()
    assert kills > 3 and picker.halves == []
    assert picker.taken == Counter(f"KTST-{n:04d}.json" for n in range(FILES))

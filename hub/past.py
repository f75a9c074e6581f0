"""Council files as they were in an earlier generation: what a mapping made then, and what a replay may name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from hub.council_files import PATTERNS
from hub.councils import Council, load
from hub.errors import NotThere
from hub.registry import Registry
from hub.store import generations
from hub.store.store import Store

KEPT: Final = 64  #: councils of earlier generations that a process remembers


class Past:
    """Called with a generation and a slug it gives that council as it was. It holds no secrets: nothing is asked of it.

    Reads the store and compiles mappings, so it is called in a thread. Raises
    NotThere when the generation is gone, or has no such council that can still
    be loaded.
    """

    def __init__(self, store: Store, *, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._known: OrderedDict[tuple[int, str], Council] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, generation: int, council: str) -> Council:
        key = (generation, council)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = self._load(generation, council)
        with self._lock:
            self._known[key] = made
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return made

    def _load(self, generation: int, council: str) -> Council:
        found = self._store.read_now(lambda connection: generations.get(connection, generation))
        if found is None:
            raise NotThere(f"There is no generation {generation} of council files; name one that an attempt used.")
        files = {name: text for name, text in found.files.items() if name.startswith((f"{PATTERNS}/", f"{council}/"))}
        # They were checked when they were adopted; a connector may have changed since, and the draft says what is left.
        loaded = load(files, registry=self._registry, secrets=None, generation=generation, cases=False)
        return loaded.draft.find(council)

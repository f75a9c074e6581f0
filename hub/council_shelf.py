"""What was made of the shared patterns, kept from one reading of the council files to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from hub.core.findings import Finding
from hub.council_files import PATTERNS, Library
from hub.registry import Registry

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Shelf:
    """What was made of one wording of all patterns: most reloads change a council and no pattern."""

    wording: bytes
    _kept: dict[Hashable, tuple[Any, frozenset[str], Sequence[Finding]]] = field(default_factory=dict)

    def get(self, key: Hashable, make: Callable[[], T], *, library: Library) -> T:
        """What `make` makes of patterns alone, and says of them among the library's findings."""
        if key in self._kept:
            value, used, findings = self._kept[key]
            library.used |= used
            library.findings.extend(findings)
            return value  # type: ignore[no-any-return]
        said, before = len(library.findings), frozenset(library.used)
        value = make()
        self._kept[key] = value, frozenset(library.used) - before, tuple(library.findings[said:])
        return value


#: By what is installed: a pattern may be checked against a connector.
_SHELVES: WeakKeyDictionary[Registry, Shelf] = WeakKeyDictionary()


def shelf_of(library: Library, registry: Registry) -> Shelf:
    """The shelf for these patterns; that of another wording is thrown away."""
    digest = hashlib.sha256()
    for file in sorted(library.files):
        if file.startswith(f"{PATTERNS}/"):
            digest.update(f"{file}\0{library.files[file]}\0".encode("utf-8", "surrogatepass"))
    shelf = _SHELVES.get(registry)
    if shelf is None or shelf.wording != digest.digest():
        shelf = _SHELVES[registry] = Shelf(wording=digest.digest())
    return shelf

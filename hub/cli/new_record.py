"""Writes what a new council.yaml says of a product without patterns: its own examples, as a form to fill in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub.connector.door import Connector
from hub.council import is_placeholder, secret_settings

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def settings(connector: type[Connector], *, stem: str) -> Iterator[str]:
    """The first example of its settings, addresses and secrets by reference."""
    one = _example(connector.Settings)
    secret = {path for path, named in secret_settings(one, connector.Settings) if not is_placeholder(named)}

    def written(path: tuple[str | int, ...], value: Any) -> Any:
        if path in secret or (isinstance(value, str) and value.startswith(("http://", "https://"))):
            return "env:" + re.sub("[^A-Z0-9]+", "_", "_".join(map(str, (stem, *path))).upper())
        return value

    yield f"      # an example, to fill in: keep what your system has; `hub connectors describe {connector.name}`"
    yield from _lines(_each(one, written), indent=6)


def mapping(connector: type[Connector]) -> Iterator[str]:
    """A mapping of its own, with the fields of the product's first example."""
    operation, declared = next(iter(connector.operations.items()))

    def written(path: tuple[str | int, ...], value: Any) -> Any:
        return value.replace("{our_reference}", "{{ hub.our_reference }}") if isinstance(value, str) else value

    yield "    mapping:"
    yield "      create:"
    yield f"        operation: {operation}"
    yield "        record:   # fill in: an example of the fields; yours are those of your system"
    yield from _lines(_each(_example(declared.record), written), indent=10)


def _example(model: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (model.model_config.get("json_schema_extra") or {}).get("examples", [{}])[0]
    return found


def _each(value: Any, written: Any, path: tuple[str | int, ...] = ()) -> Any:
    if isinstance(value, Mapping):
        return {name: _each(inner, written, (*path, name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, written, (*path, at)) for at, inner in enumerate(value)]
    return written(path, value)


def _lines(tree: Mapping[str, Any], *, indent: int) -> Iterator[str]:
    """YAML: maps as blocks, the rest as JSON, which YAML 1.2 reads."""
    for name, value in tree.items():
        key = name if _PLAIN_KEY.match(name) else json.dumps(name, ensure_ascii=False)
        if isinstance(value, Mapping) and value:
            yield f"{' ' * indent}{key}:"
            yield from _lines(value, indent=indent + 2)
        else:
            yield f"{' ' * indent}{key}: {json.dumps(value, ensure_ascii=False)}"

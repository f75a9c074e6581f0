"""Addresses and bodies with `{names}` in them, filled so that no value can lead anywhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from hub.connector import Refused

_NAME: Final = re.compile(r"\{([^{}]+)\}")


def names(template: str) -> list[str]:
    """The names in a template, each once."""
    return list(dict.fromkeys(_NAME.findall(template)))


def address(base: str, template: str, values: Mapping[str, Any]) -> str:
    """The address, every value encoded. Raises Refused where one would lead elsewhere, and then nothing was sent."""
    return base.rstrip("/") + _NAME.sub(lambda found: _encoded(values[found[1]]), template)


def filled(tree: Any, values: Mapping[str, str]) -> Any:
    """A tree of JSON with the names in its texts filled in; any other brace is left as it stands."""
    match tree:
        case Mapping():
            return {key: filled(each, values) for key, each in tree.items()}
        case list():
            return [filled(each, values) for each in tree]
        case str():
            return _NAME.sub(lambda found: values.get(found[1], found[0]), tree)
        case _:
            return tree


def _encoded(value: Any) -> str:
    text = str(value)
    # `.` and `..` are steps in an address, however they are encoded, and nothing at all is another address.
    if not text.strip("."):
        raise Refused(
            "A value that stands in the address is empty or only dots; mend the mapping, then replay.",
            code="rest_address",
        )
    return quote(text, safe="")

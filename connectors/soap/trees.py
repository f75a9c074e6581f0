"""Trees that a council writes down: filled in, and laid over one another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_BRACES: Final = re.compile(r"\{([a-z_0-9]+)\}")


def placeholders(tree: Any) -> set[str]:
    """What stands in braces in the texts of this tree."""
    match tree:
        case Mapping():
            return {name for each in tree.values() for name in placeholders(each)}
        case list():
            return {name for each in tree for name in placeholders(each)}
        case str():
            return set(_BRACES.findall(tree))
        case _:
            return set()


def filled(tree: Any, values: Mapping[str, Any]) -> Any:
    """The tree with its placeholders filled in. One that is a whole text keeps the value's own type."""
    match tree:
        case Mapping():
            return {key: filled(each, values) for key, each in tree.items()}
        case list():
            return [filled(each, values) for each in tree]
        case str() if (whole := _BRACES.fullmatch(tree)) is not None:
            return values.get(whole[1], tree)
        case str():
            return _BRACES.sub(lambda found: str(values.get(found[1], found[0])), tree)
        case _:
            return tree


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both trees in one: maps are merged, and of everything else the upper one counts."""
    merged = dict(below)
    for key, each in above.items():
        under = merged.get(key)
        merged[key] = laid_over(under, each) if isinstance(under, Mapping) and isinstance(each, Mapping) else each
    return merged

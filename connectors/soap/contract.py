"""Settings and records held against the WSDL, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self, cast

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from connectors.soap.answers import place
from connectors.soap.settings import KNOWN, Call, SoapSettings
from connectors.soap.trees import filled, laid_over
from hub.connector import BadSetting, FreeRecord, Later, Wsdl

_OURS: Final = "ABCD-EFGH"


def check_calls(settings: SoapSettings, wsdl: Wsdl) -> None:
    """Raises BadSetting for an operation that the WSDL does not have, and for arguments that it does not take."""
    for name, call in settings.calls:
        if name == "sign_in" and settings.sign_in is not None and settings.sign_in.wsdl is not None:
            continue
        if call.operation not in wsdl.operations:
            known = ", ".join(wsdl.operations)
            raise BadSetting(f"{wsdl.name} has no such operation; it has {known}", at=(name, "operation"))
        if name in ("sign_in", "lookup", "check", "attach"):  # a record adds nothing to these
            refusal = _refusal(settings, wsdl, name, {})
            if refusal is not None:
                raise BadSetting(refusal, at=(name, "arguments" if call.arguments else "operation"))


def check_answers(settings: SoapSettings, wsdl: Wsdl) -> None:
    """Raises BadSetting for a path that no answer of its operation can hold: it would never be found."""
    for name, call in settings.calls:
        if name == "sign_in" and settings.sign_in is not None and settings.sign_in.wsdl is not None:
            continue
        for at, path in _paths(call):
            if not wsdl.answers(call.operation, place(path).names):
                text = f"the answer of {call.operation} has no `{path}`; a path begins below the answer's own element"
                raise BadSetting(text, at=(name, *at))


def _paths(call: Call) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every path into the call's answer, and which setting it is."""
    for number, rule in enumerate(call.outcomes):
        for key in ("at", "words", "reference", "our_reference"):
            if getattr(rule, key) is not None:
                yield ("outcomes", number, key), getattr(rule, key)
    items = getattr(call, "items", None)
    if items is not None:
        yield ("list",), items
    for key in ("reference", "our_reference", "token_at"):
        path = getattr(call, key, None)
        if path is not None:
            yield (key,), path if items is None else f"{items}/{path}"


def held_against(record: type[FreeRecord], wsdl: Wsdl, settings: SoapSettings, verb: str) -> type[FreeRecord]:
    """The record's model, which also refuses what the WSDL cannot hold, by the element's name."""

    class Held(record):  # type: ignore[valid-type,misc]
        @model_validator(mode="after")
        def _fits(self) -> Self:
            refusal = _refusal(settings, wsdl, verb, cast("FreeRecord", self).tree())
            if refusal is not None:
                # `expected` is shown where a record is refused; it names elements and quotes no value.
                raise PydanticCustomError("not_of_the_wsdl", "{expected}", {"expected": refusal})
            return self

    Held.__name__, Held.__doc__ = record.__name__, record.__doc__
    return Held


def _refusal(settings: SoapSettings, wsdl: Wsdl, name: str, record: Mapping[str, Any]) -> str | None:
    call: Call = getattr(settings, name)
    beside = {} if name == "sign_in" else settings.arguments
    known = dict.fromkeys(KNOWN[name], Later) | {"our_reference": _OURS, "token": Later}
    arguments = _without_references(filled(laid_over(beside, call.arguments), known))
    return wsdl.refusal(call.operation, laid_over(arguments, record), namespaces=settings.namespaces)


def _without_references(tree: Any) -> Any:
    """References are filled in where the hub sends; until then any value fits."""
    match tree:
        case Mapping():
            return {key: _without_references(each) for key, each in tree.items()}
        case list():
            return [_without_references(each) for each in tree]
        case str() if tree.startswith(("env:", "file:")):
            return Later
        case _:
            return tree

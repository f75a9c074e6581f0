"""What every object of a submission is: strict, closed, and true to its rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

from hub.model import Warning
from hub.standard.pointers import Loc
from hub.standard.rules import Fault, Rule, as_sent, broken, refuse


class Part(BaseModel):
    """One object: unknown keys refused, types never coerced, rules enforced here and published in the schema."""

    # Inputs stay out of pydantic's own errors too: a stray traceback must not quote a resident.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    #: Rules across the fields of this object.
    rules: ClassVar[tuple[Rule, ...]] = ()
    #: Fields that the hub adds to the data: name → JSON Schema. In the schema, never accepted.
    derived: ClassVar[dict[str, dict[str, Any]]] = {}

    def remarks(self, *, today: date) -> list[Warning]:
        """Warnings on what was read; pointers are those of the whole submission."""
        return []

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Not a model_validator, which every part would have to pass, with rules or without.
        schema = handler(source)
        made: Any = handler.resolve_ref_schema(schema)
        # A part inside another comes with its rules already asked.
        if not cls.rules or made.get("function", {}).get("function") is _true_to_its_rules:
            return schema
        return cs.no_info_after_validator_function(_true_to_its_rules, schema)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        for word in ("title", "description"):  # they speak to the readers of this code
            schema.pop(word, None)
        for name, added in cls.derived.items():
            schema["properties"][name] = {**added, "readOnly": True}
        never = [{"not": {"required": [name]}} for name in cls.derived]
        if together := never + [rule.fragment() for rule in cls.rules]:
            schema["allOf"] = together
        return schema


def _true_to_its_rules(part: Part) -> Part:
    if faults := broken(part.rules, part.__dict__):
        refuse(faults)
    return part


@cache
def parts_of(model: type[Part]) -> dict[str, type[Part]]:
    """The fields of a model that hold a part, or a list of parts."""
    found = {name: _part_in(field.annotation) for name, field in model.model_fields.items()}
    return {name: part for name, part in found.items() if part}


def _part_in(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((part for inner in get_args(annotation) if (part := _part_in(inner))), None)


def part_at(model: type[Part], loc: Loc) -> type[Part]:
    """The model of the object that holds the last step of `loc`."""
    for step in loc[:-1]:
        model = parts_of(model).get(step, model) if isinstance(step, str) else model
    return model


def all_broken(model: type[Part], value: object, loc: Loc = ()) -> Iterator[Fault]:
    """Every rule broken anywhere in what was sent, whatever else is wrong with it.

    Pydantic asks an object's rules only when its fields are sound, and a front
    end wants every fault at once.
    """
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from all_broken(model, item, (*loc, place))
    if isinstance(value, dict):
        for inner, do in broken(model.rules, as_sent(value)):
            yield (*loc, *inner), do
        for name, part in parts_of(model).items():
            if name in value:
                yield from all_broken(part, value[name], (*loc, name))

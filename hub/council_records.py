"""A mapping's record against the connector's: unknown fields, missing ones, values of an impossible type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from hub.connector.door import Connector
from hub.core.findings import Finding, Place, Severity, instead
from hub.core.kinds import words
from hub.core.mapping import Block, CompiledMapping
from hub.core.tree import Leaf, ListNode, Loop, MapNode, Node, Places

#: One value of each JSON type; a field that refuses it for its type can never take an expression of that type.
_SAMPLES: Final[dict[str, tuple[Any, ...]]] = {
    "string": ("x",),
    "integer": (1,),
    "number": (1.5, 1),
    "boolean": (True,),
    "array": ([],),
    "object": ({},),
    "null": (None,),
}
_TYPE_ERRORS: Final = ("_type", "none_required")
_MANNERS: Final = frozenset(["strict", "coerce_numbers_to_str", "str_strip_whitespace", "arbitrary_types_allowed"])


def check_records(mapping: CompiledMapping, connector: type[Connector], places: Places) -> Iterator[Finding]:
    """What is wrong between a mapping and the connector that it names."""
    declared = ", or declare it in the destination's settings" if hasattr(connector, "configured") else ""
    for block in mapping.blocks.values():
        if block.name != "create" and not callable(getattr(connector, block.name, None)):
            message = f"connector `{connector.name}` cannot `{block.name}`"
            remedy = f"remove `{block.name}:`{declared}"
            yield Finding.at(places.key((block.name,)), "unknown_block", message, remedy)
            continue
        operation = connector.operations.get(block.operation)
        if operation is None:
            remedy = instead(block.operation, connector.operations) + declared
            message = f"connector `{connector.name}` has no operation `{block.operation}`"
            yield Finding.at(block.place, "unknown_operation", message, remedy)
            continue
        yield from _map(block.tree, operation.record, places, block)


def _map(node: Node, model: type[BaseModel], places: Places, block: Block) -> Iterator[Finding]:
    if not isinstance(node, MapNode):
        return
    known = {key: name for name in model.model_fields for key in _keys(model, name)}
    given = dict(node.items)
    for key, below in node.items:
        if key in known:
            yield from _value(below, _Field(model=model, name=known[key], key=key), places, block)
        elif model.model_config.get("extra") != "allow":
            place = places.key((*node.path, key))
            message = f"`{block.operation}` has no field `{key}`"
            yield Finding.at(place, "unknown_field", message, instead(key, known))
    for name, info in model.model_fields.items():
        if info.is_required():
            yield from _required(_keys(model, name), given, node, places, block)


def _required(
    keys: list[str], given: Mapping[str, Node], node: MapNode, places: Places, block: Block
) -> Iterator[Finding]:
    found = next((given[key] for key in keys if key in given), None)
    if found is None:
        message = f"`{block.operation}` needs the field `{keys[0]}`"
        yield Finding.at(places.key(node.path), "missing_field", message, f"add `{keys[0]}:`")
    elif found.may_omit:
        message = f"`{keys[0]}` may be omitted, but `{block.operation}` needs it"
        remedy = "give it a default, or say `| required`"
        place = places.of(found.path)
        yield Finding.at(place, "may_be_missing", message, remedy, severity=Severity.WARNING)


def _keys(model: type[BaseModel], name: str) -> list[str]:
    """The keys under which a field may be given, the usual one first."""
    info = model.model_fields[name]
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    if alias is None:
        return [name]
    config = model.model_config
    return [alias, name] if config.get("populate_by_name") or config.get("validate_by_name") else [alias]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One field of a record model, judged on its own."""

    model: type[BaseModel]
    name: str
    key: str  #: as the mapping gives it

    @property
    def models(self) -> list[type[BaseModel]]:
        """The models that its type holds."""
        return list(_models(self.model.model_fields[self.name].annotation))

    def refusal(self, value: Any) -> str | None:
        """Why it does not take a literal; None when it does, or when only the whole record can tell."""
        try:
            _validate(self.model, self.name, value)
        except ValidationError as error:
            return str(error.errors(include_url=False, include_input=False)[0]["msg"])
        return None

    def takes(self, kind: str) -> bool:
        """Whether any value of a JSON type could be taken, as far as its type tells."""
        for sample in _SAMPLES.get(kind, (None,)):
            try:
                _validate(self.model, self.name, sample)
            except ValidationError as error:
                kinds = [fault["type"] for fault in error.errors(include_url=False, include_input=False)]
                if all(each.endswith(_TYPE_ERRORS) for each in kinds):
                    continue
            return True
        return False


def _validate(model: type[BaseModel], name: str, value: Any) -> None:
    adapter = _adapter(model, name)
    if adapter is not None:
        adapter.validate_python(value)


@lru_cache(maxsize=4096)
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any] | None:
    """The field on its own: its type, constraints and manners; None where the model does more than that."""
    validators = [each.info for each in model.__pydantic_decorators__.field_validators.values()]
    if any(info.mode != "after" and {name, "*"} & set(info.fields) for info in validators):
        return None
    info = model.model_fields[name]
    kind: Any = info.annotation
    for mark in info.metadata:
        kind = Annotated[kind, mark]
    manners = {key: value for key, value in model.model_config.items() if key in _MANNERS}
    try:
        return TypeAdapter(kind, config=ConfigDict(**manners)) if manners else TypeAdapter(kind)  # type: ignore[typeddict-item]
    except PydanticUserError:  # a model brings its own manners
        return TypeAdapter(kind)


def _value(node: Node, field: _Field, places: Places, block: Block) -> Iterator[Finding]:
    match node:
        case Leaf():
            yield from _leaf(node, field, block)
        case MapNode():
            if len(field.models) == 1:
                yield from _map(node, field.models[0], places, block)
            elif not field.models and not field.takes("object"):
                yield _wrong(node.place, field, "a map", block)
        case Loop() if node.join is not None:
            if not field.takes("string"):
                yield _wrong(node.over.place, field, "a text", block)
        case ListNode() | Loop():
            if not field.takes("array"):
                place = node.place if isinstance(node, ListNode) else node.over.place
                yield _wrong(place, field, "a list", block)
            elif len(field.models) == 1:
                below = node.items if isinstance(node, ListNode) else [node.emit] if node.emit is not None else []
                for each in below:
                    yield from _map(each, field.models[0], places, block)


def _leaf(node: Leaf, field: _Field, block: Block) -> Iterator[Finding]:
    if node.rule.literal:
        said = field.refusal(node.rule.value)
        if said is not None:
            message = f"field `{field.key}` of `{block.operation}`: {said}"
            yield Finding.at(node.rule.place, "wrong_type", message, "give it a value of its own type")
        return
    types = node.seen.types - {"omit"}
    if types and not any(field.takes(kind) for kind in types):
        yield _wrong(node.rule.place, field, f"a {words(types)}", block)


def _wrong(place: Place, field: _Field, what: str, block: Block) -> Finding:
    message = f"field `{field.key}` of `{block.operation}` cannot be {what}"
    return Finding.at(place, "wrong_type", message, "give it a value of its own type")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def said_by(error: ValidationError) -> list[str]:
    """What a record model refuses, field by field, without the values."""
    return [
        f"{'.'.join(str(step) for step in fault['loc']) or 'record'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def check_record(connector: type[Connector], operation: str, record: Mapping[str, Any]) -> list[str]:
    """What the connector would refuse in a finished record."""
    try:
        connector.operations[operation].record.model_validate(record)
    except ValidationError as error:
        return said_by(error)
    return []

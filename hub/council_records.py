"""A mapping's record against the connector's: unknown fields, missing ones, values of an impossible type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from hub.connector.door import Connector
from hub.core.findings import Finding, Severity, instead
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
_TYPE_ERRORS: Final = ("_type", "none_required", "model_attributes_type")


def check_records(mapping: CompiledMapping, connector: type[Connector], places: Places) -> Iterator[Finding]:
    """What is wrong between a mapping and the connector that it names."""
    for block in mapping.blocks.values():
        if block.name != "create" and not callable(getattr(connector, block.name, None)):
            message = f"connector `{connector.name}` cannot `{block.name}`"
            yield Finding.at(places.key((block.name,)), "unknown_block", message, f"remove `{block.name}:`")
        operation = connector.operations.get(block.operation)
        if operation is None:
            remedy = instead(block.operation, connector.operations)
            message = f"connector `{connector.name}` has no operation `{block.operation}`"
            yield Finding.at(block.place, "unknown_operation", message, remedy)
            continue
        yield from _map(block.tree, operation.record, places, block)


def _map(node: Node, model: type[BaseModel], places: Places, block: Block) -> Iterator[Finding]:
    if not isinstance(node, MapNode):
        return
    fields = dict(_fields(model))
    given = dict(node.items)
    for key, below in node.items:
        if key in fields:
            yield from _value(below, fields[key], places, block, name=key)
        elif model.model_config.get("extra") != "allow":
            remedy = instead(key, fields)
            place = places.key((*node.path, key))
            yield Finding.at(place, "unknown_field", f"`{block.operation}` has no field `{key}`", remedy)
    for name, info in model.model_fields.items():
        names = _names(name, info, model)
        found = next((given[each] for each in names if each in given), None)
        if not info.is_required():
            continue
        if found is None:
            place = places.key(node.path)
            message = f"`{block.operation}` needs the field `{names[0]}`"
            yield Finding.at(place, "missing_field", message, f"add `{names[0]}:`")
        elif found.may_omit:
            message = f"`{names[0]}` may be omitted, but `{block.operation}` needs it"
            place = places.of(found.path)
            remedy = "give it a default, or say `| required`"
            yield Finding.at(place, "may_be_missing", message, remedy, severity=Severity.WARNING)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        for each in _names(name, info, model):
            yield each, info


def _names(name: str, info: FieldInfo, model: type[BaseModel]) -> list[str]:
    """The keys under which a field may be given, the usual one first."""
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    if alias is None:
        return [name]
    config = model.model_config
    return [alias, name] if config.get("populate_by_name") or config.get("validate_by_name") else [alias]


def _value(node: Node, info: FieldInfo, places: Places, block: Block, *, name: str) -> Iterator[Finding]:
    annotation: Any = info.annotation
    match node:
        case Leaf():
            yield from _leaf(node, info, block, name)
        case MapNode():
            models = list(_models(annotation))
            if len(models) == 1:
                yield from _map(node, models[0], places, block)
            elif not models and not _takes(annotation, "object"):
                yield _wrong(node, name, "a map", block)
        case ListNode() | Loop():
            below = node.items if isinstance(node, ListNode) else [node.emit] if node.emit is not None else []
            if not _takes(annotation, "array"):
                yield _wrong(node, name, "a list", block, places)
                return
            models = list(_models(annotation))
            for each in below:
                if len(models) == 1:
                    yield from _map(each, models[0], places, block)


def _wrong(node: Node, name: str, what: str, block: Block, places: Places | None = None) -> Finding:
    place = node.over.place if isinstance(node, Loop) else node.rule.place if isinstance(node, Leaf) else node.place
    message = f"field `{name}` of `{block.operation}` cannot be {what}"
    return Finding.at(place, "wrong_type", message, "give it a value of its own type")


def _leaf(node: Leaf, info: FieldInfo, block: Block, name: str) -> Iterator[Finding]:
    rule = node.rule
    if rule.literal:
        said = _refusal(info, rule.value)
        if said is not None:
            message = f"field `{name}` of `{block.operation}`: {said}"
            yield Finding.at(rule.place, "wrong_type", message, "give it a value of its own type")
        return
    types = node.seen.types - {"omit"}
    if types and all(_impossible(info, kind) for kind in types):
        words = " or ".join(sorted(types))
        yield _wrong(node, name, f"a {words}", block)


def _adapter(info: FieldInfo) -> TypeAdapter[Any]:
    """The field on its own: its type with its constraints and validators."""
    kind: Any = info.annotation
    for mark in info.metadata:
        kind = Annotated[kind, mark]
    return TypeAdapter(kind)


def _refusal(info: FieldInfo, value: Any) -> str | None:
    """Why a field does not take a literal; None when it does."""
    try:
        _adapter(info).validate_python(value)
    except ValidationError as error:
        return str(error.errors(include_url=False, include_input=False)[0]["msg"])
    except Exception:  # a model that cannot be asked field by field is judged by the examples
        return None
    return None


def _impossible(info: FieldInfo, kind: str) -> bool:
    """Whether the field refuses every value of a JSON type, for its type alone."""
    for sample in _SAMPLES.get(kind, ()):
        try:
            _adapter(info).validate_python(sample)
        except ValidationError as error:
            kinds = [fault["type"] for fault in error.errors(include_url=False, include_input=False)]
            if not all(each.endswith(_TYPE_ERRORS) for each in kinds):
                return False
        except Exception:
            return False
        else:
            return False
    return True


def _takes(annotation: Any, kind: str) -> bool:
    try:
        TypeAdapter(annotation).validate_python(_SAMPLES[kind][0])
    except ValidationError as error:
        kinds = [fault["type"] for fault in error.errors(include_url=False, include_input=False)]
        return not all(each.endswith(_TYPE_ERRORS) for each in kinds)
    except Exception:
        return True
    return True


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

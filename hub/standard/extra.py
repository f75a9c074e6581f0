"""Answers that have no field of their own, carried so that nothing a resident wrote is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

from hub.standard.rules import refuse

MOST_KEYS = 100
MOST_ITEMS = 100
LONGEST_KEY = 200
LONGEST_TEXT = 2000

_NOT_TEXT = "Send each answer as a text, or as a list of texts."
_TOO_LONG = f"Use at most {LONGEST_TEXT} characters for one answer."


@dataclass(frozen=True, slots=True)
class _Answers:
    """Texts and lists of texts by key. By hand, because a union's faults would name types, not remedies."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        answers = cs.dict_schema(cs.str_schema(), cs.any_schema(), strict=True)
        return cs.no_info_after_validator_function(_check, answers)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = {"type": "string", "maxLength": LONGEST_TEXT}
        return {
            "type": "object",
            "maxProperties": MOST_KEYS,
            "propertyNames": {"maxLength": LONGEST_KEY},
            "additionalProperties": {"anyOf": [text, {"type": "array", "items": text, "maxItems": MOST_ITEMS}]},
        }


def _check(answers: dict[str, Any]) -> dict[str, Any]:
    if len(answers) > MOST_KEYS:
        refuse([((), f"Send at most {MOST_KEYS} answers here.")])
    if max(map(len, answers), default=0) > LONGEST_KEY:
        refuse([((), f"Use at most {LONGEST_KEY} characters for a key.")])
    if faults := [((key,), do) for key, answer in answers.items() if (do := _wrong(answer))]:
        refuse(faults)
    return answers


def _wrong(answer: Any) -> str | None:
    if isinstance(answer, str):
        return _TOO_LONG if len(answer) > LONGEST_TEXT else None
    if not isinstance(answer, list) or not all(isinstance(text, str) for text in answer):
        return _NOT_TEXT
    if len(answer) > MOST_ITEMS:
        return f"Send at most {MOST_ITEMS} texts in one list."
    return _TOO_LONG if max(map(len, answer), default=0) > LONGEST_TEXT else None


Extra = Annotated[dict[str, Any], _Answers()]

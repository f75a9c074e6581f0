"""What was answered in a form, whatever its format: answers by question key, and what the form says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.core import form_fields
from hub.errors import HubError


class Misshapen(HubError):
    """The body is not of its format's shape, so there is nothing to map; the text says where, and quotes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A form that was filled in, as profiles see it."""

    answers: Mapping[str, Any]
    form: Mapping[str, Any] = field(default_factory=dict)  #: name, language, reference, submitted_at, metadata …


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    section: str
    key: str
    answer: Any


def xgov(body: Any) -> Sheet:
    """A webhook body of XGov's form runner.

    A question that is asked once is an answer by its key. One that is asked
    again, on a page that repeats, is a list of answers. One key on pages of
    several sections is an answer below each section's name.
    """
    if not isinstance(body, dict):
        raise Misshapen("The body is no object; the form's webhook sends one with `questions`.")
    form = {
        "name": body.get("name"),
        "language": body.get("preferredLanguage"),
        "metadata": body.get("metadata"),
        "fees": body.get("fees"),
    }
    by_key: dict[str, dict[str, list[Any]]] = {}
    for each in _fields_of(body.get("questions")):
        by_key.setdefault(each.key, {}).setdefault(each.section, []).append(each.answer)
    answers = {key: _answer(*sections.values()) for key, sections in by_key.items() if len(sections) == 1}
    for key, sections in by_key.items():
        for section, given in sections.items() if len(sections) > 1 else ():
            _put(answers, section, key, _answer(given))
    return Sheet(answers=answers, form={key: value for key, value in form.items() if value is not None})


def _fields_of(questions: Any) -> Iterator[_Field]:
    if not isinstance(questions, list):
        raise Misshapen("`questions` is not a list; the form's webhook sends one.")
    for at, question in enumerate(questions):
        fields = question.get("fields") if isinstance(question, dict) else None
        if not isinstance(fields, list):
            raise Misshapen(f"`questions[{at}]` has no list of `fields`.")
        section = question.get("category")
        for number, each in enumerate(fields):
            key = each.get("key") if isinstance(each, dict) else None
            if not isinstance(key, str) or not key:
                raise Misshapen(f"`questions[{at}].fields[{number}]` has no `key`.")
            yield _Field(section=section if isinstance(section, str) else "", key=key, answer=each.get("answer"))


def _answer(given: list[Any]) -> Any:
    return given[0] if len(given) == 1 else given


def _put(answers: dict[str, Any], section: str, key: str, answer: Any) -> None:
    """Below the section's name, unless a question has that name."""
    below = answers.setdefault(section, {}) if section else answers
    if isinstance(below, dict) and key not in below:
        below[key] = answer
    else:
        answers[f"{section}.{key}"] = answer


def infreemation(body: Any) -> Sheet:
    """A request as Infreemation's own API takes it; its codes in the case that its manual writes them in."""
    if not isinstance(body, dict):
        raise Misshapen("The body is no object; a request is one with `rt`, `requester`, `contact` and `body`.")
    answers = {key: value for key, value in body.items() if key not in ("rt", "key", "username")}
    for code in ("type", "contacttype"):
        if isinstance(answers.get(code), str):
            answers[code] = answers[code].strip().upper()
    return Sheet(answers=answers)


def open311(body: Any) -> Sheet:
    """A form as the Open311 door keeps one: its fields in pairs, and the names of files that could not be kept."""
    fields = body.get("fields") if isinstance(body, dict) else None
    if not isinstance(fields, list):
        raise Misshapen("The body has no list of `fields`; the Open311 door keeps forms with one.")
    if not all(isinstance(pair, list) and [type(each) for each in pair] == [str, str] for pair in fields):
        raise Misshapen("`fields` are pairs of a name and a text.")
    answers = form_fields.answers((name, value) for name, value in fields)
    if left_out := body.get("left_out"):
        answers["files_not_kept"] = left_out  # no profile reads it, so that staff see it
    return Sheet(answers=answers)


#: How the JSON that is kept of a body is read, by format.
READERS: Final[dict[str, Callable[[Any], Sheet]]] = {"infreemation": infreemation, "open311": open311, "xgov": xgov}

"""What does a front end's form say in the contract's words? A profile: answers in, a standard submission out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.core import leftovers
from hub.core.findings import Place
from hub.core.fitting import fit
from hub.core.leftovers import Steps
from hub.core.mapping import CompiledMapping
from hub.core.offer import Offer
from hub.core.paths import Shape
from hub.core.tree import Leaf, ListNode, Loop, MapNode, Node

#: The block that holds a profile's tree; the language's own blocks are verbs.
BLOCK: Final = "submission"
#: The formats that have a door.
FORMATS: Final = ("infreemation", "open311", "xgov")
#: What the hub fills in and no profile may say.
FILLED_IN: Final = ("council", "service", "version")
#: What a form knows of itself, and the field of the contract that it fills where the profile says nothing.
_OF_THE_FORM: Final = {"language": "language", "reference": "front_end_reference", "submitted_at": "submitted_at"}
_LANGUAGES: Final = ("en", "en-gb", "cy", "cy-gb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A submission as a front end of the hub's own would have sent it; not yet held against its contract."""

    data: dict[str, Any]
    warnings: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One form of one format, ready to be read for a council."""

    format: str
    name: str
    service: str
    version: int
    mapping: CompiledMapping
    shape: Shape  #: of the contract that it fills
    read: frozenset[Steps]  #: answers that some leaf reads
    form_read: frozenset[Steps]  #: and what it reads of the form itself
    tables: Mapping[str, Any] = field(default_factory=dict)
    offer: Offer | None = None  #: what Open311 clients are shown

    @property
    def file(self) -> str:
        return self.mapping.file

    @property
    def shared(self) -> bool:
        """Whether it is a pattern, which a council has without saying so."""
        return self.file.startswith("patterns/")

    def submission(self, answers: Mapping[str, Any], form: Mapping[str, Any], *, council: str) -> Mapped:
        """The submission that a form's answers make. Raises MappingFault naming file, line and leaf, and no value.

        Answers without a value count as absent. What no leaf reads is in `extra`.
        """
        answers, form = _answered(answers), _answered(form)
        context = {"answers": answers, "form": form, **self.tables}
        made = fit(self.mapping.run(BLOCK, context), self.shape)
        filled = {field: form[name] for name, field in _OF_THE_FORM.items() if _is_plain(name, form.get(name))}
        data = {**filled, **made, "council": council, "service": self.service, "version": self.version}
        left = leftovers.unread(answers, self.read) | leftovers.unread(_told(form), self.form_read)
        extra = data.pop("extra", {})
        if not isinstance(extra, dict):
            return Mapped(data={**data, "extra": extra})  # the contract says what is wrong with it
        extra, warnings = leftovers.keep(left, extra)
        return Mapped(data={**data, "extra": extra} if extra else data, warnings=tuple(warnings))

    def where(self, pointer: str) -> str:
        """Where the leaf stands that the contract finds fault with, by the fault's pointer: `file:line leaf`."""
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("#").split("/") if step]
        node: Node | None = self.mapping.blocks[BLOCK].tree
        found = node
        for step in steps:
            node = _below(node, step)
            found = node or found
        # The file too: what this one extends has lines of its own.
        place = _place(found) or Place(file=self.file)
        return f"{place.file}:{place.line} {'.'.join(steps) or BLOCK}"


def _answered(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was answered: an empty text, a null and an empty list or map are no answer."""
    return {key: made for key, value in values.items() if (made := _answer(value)) is not None}


def _answer(value: Any) -> Any:
    match value:
        case str():
            return value if value.strip() else None
        case dict():
            return _answered(value) or None
        case list():
            return [made for each in value if (made := _answer(each)) is not None] or None
        case _:
            return value


def _told(form: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says besides its name and what the contract has a field for."""
    return {key: value for key, value in form.items() if key not in ("name", *_OF_THE_FORM)}


def _is_plain(name: str, value: Any) -> bool:
    """Whether the contract takes what a form says there; a language that it does not know must park nobody's form."""
    return isinstance(value, str) and (name != "language" or value.lower() in _LANGUAGES)


def _below(node: Node | None, step: str) -> Node | None:
    match node:
        case MapNode():
            return dict(node.items).get(step)
        case ListNode() if step.isdigit() and int(step) < len(node.items):
            return node.items[int(step)]
        case Loop():
            return node.emit
        case _:
            return None


def _place(node: Node | None) -> Place | None:
    match node:
        case Leaf():
            return node.rule.place
        case Loop():
            return node.over.place
        case MapNode() | ListNode():
            return node.place
        case None:
            return None

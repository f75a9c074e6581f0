"""Container request: a bin, box or bag to be brought, taken away, changed or mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.envelope import Envelope
from hub.standard.fields import Exactly, Maybe, Str40, Str64, Str200
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import AnyOf, Other, Rule, Within
from hub.standard.service import Example, Service
from hub.standard.waste import RECYCLED, WasteType
from hub.standard.wording import AT_HOME, PAID, unworded


class Action(StrEnum):
    DELIVER = "deliver"
    REMOVE = "remove"
    EXCHANGE = "exchange"
    REPAIR = "repair"


class Reason(StrEnum):
    NEW_BUILD = "new_build"
    MOVED_IN = "moved_in"
    MISSING = "missing"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    EXTRA = "extra"
    TOO_SMALL = "too_small"
    NOT_RETURNED_BY_CREW = "not_returned_by_crew"
    OTHER = "other"


class Damage(StrEnum):
    LID = "lid"
    WHEELS = "wheels"
    BODY = "body"


REFUSE_CONTAINERS, RECYCLING_CONTAINERS, FOOD, GARDEN = 526, 533, 1423, 530

Quantity = Annotated[int, Field(ge=1, le=10)]
Litres = Annotated[int, Field(ge=1, le=5000)]
People = Annotated[int, Field(ge=1, le=20)]


class Request(Part):
    """One kind of container, and what is to be done with it."""

    action: Action = required("What to do", "Beth i'w wneud", example="deliver")
    container_type: Maybe[Str64] = optional(
        "Container", "Cynhwysydd", example="RES240", about="As the council's own system knows it."
    )
    waste_type: Maybe[WasteType] = optional(
        "Kind of waste", "Math o wastraff", example="refuse", about="Needed where there is no `container_type`."
    )
    waste_type_other: Maybe[Str200] = optional(
        "Kind of waste, in words", "Math o wastraff, mewn geiriau", example="Cooking oil", personal=Personal.YES
    )
    quantity: Quantity = optional("How many", "Faint", example=1, default=1)
    size_litres: Maybe[Litres] = optional("Size in litres", "Maint mewn litrau", example=240)
    reason: Maybe[Reason] = optional("Why", "Pam", example="damaged")
    reason_other: Maybe[Str200] = optional(
        "Why, in words", "Pam, mewn geiriau", example="The lorry melted it", personal=Personal.YES
    )
    damage: Maybe[Damage] = optional("What is broken", "Beth sydd wedi torri", example="wheels")

    rules: ClassVar[tuple[Rule, ...]] = (
        AnyOf(("container_type", "waste_type"), "Add `container_type` or `waste_type`: it says which container."),
        Other("waste_type"),
        Other("reason"),
    )

    def remarked(self, where: str) -> Iterator[Warning]:
        if self.waste_type is WasteType.OTHER and self.waste_type_other is None:
            yield unworded(f"{where}/waste_type")
        if self.reason is Reason.OTHER and self.reason_other is None:
            yield unworded(f"{where}/reason")
        if self.action is Action.REPAIR and self.damage is None:
            yield Warning(pointer=f"{where}/action", message="Say what is to be mended in `damage`.")


Requests = Annotated[list[Request], Field(min_length=1, max_length=50)]


class Details(Part):
    """Which containers, and what the council wants to know before it sends them."""

    requests: Requests = required(
        "Containers", "Cynwysyddion", example=[{"action": "deliver", "container_type": "RES240"}]
    )
    household_size: Maybe[People] = optional(
        "People in the household", "Pobl yn y cartref", example=4, personal=Personal.YES
    )
    delivery_location: Maybe[Str200] = optional(
        "Where to leave them", "Ble i'w gadael", example="Behind the side gate", personal=Personal.YES
    )
    crime_reference: Maybe[Str40] = optional(
        "Crime reference", "Cyfeirnod trosedd", example="NS/26/004711", personal=Personal.YES, about="When stolen."
    )
    chargeable: Maybe[bool] = optional(
        "There is a charge", "Codir tâl", example=False, about="When true, `payment` says where it was paid."
    )

    def remarks(self, *, today: date) -> list[Warning]:
        places = enumerate(self.requests)
        return [found for place, one in places for found in one.remarked(f"#/details/requests/{place}")]


class ContainerRequest(Envelope):
    """Containers for a home."""

    service: Literal["container-request"] = required("Service", "Gwasanaeth", example="container-request")
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    property: Property = required("Property", "Eiddo", example={"uprn": "100012345678"})
    details: Details = required(
        "Details", "Manylion", example={"requests": [{"action": "deliver", "waste_type": "refuse"}]}
    )

    rules: ClassVar[tuple[Rule, ...]] = (Within("property", (AT_HOME,)), PAID)


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    kinds = [request.get("waste_type") for request in data["details"]["requests"]]
    return tuple(dict.fromkeys(_id(kind) for kind in kinds))


def _id(kind: str | None) -> int:
    """What has no number of its own, or no kind, goes with household refuse."""
    match kind:
        case WasteType.FOOD:
            return FOOD
        case WasteType.GARDEN:
            return GARDEN
        case _:
            return RECYCLING_CONTAINERS if kind in RECYCLED else REFUSE_CONTAINERS


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: a home by UPRN, and a refuse bin to be brought.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "container-request",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {"requests": [{"action": "deliver", "waste_type": "refuse"}]},
        },
    ),
    Example(
        why="Three at once: a broken bin changed, a food caddy brought, and a stolen garden bin paid for again.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "container-request",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org"},
            "property": {"uprn": "100012345678", "address": {"lines": ["1 High Street"], "postcode": "NB1 2CD"}},
            "payment": {"reference": "pay-7f3k", "amount_pence": 2750},
            "details": {
                "requests": [
                    {
                        "action": "exchange",
                        "container_type": "RES240",
                        "waste_type": "refuse",
                        "size_litres": 240,
                        "reason": "damaged",
                        "damage": "wheels",
                    },
                    {"action": "deliver", "waste_type": "food", "quantity": 2, "reason": "moved_in"},
                    {"action": "deliver", "waste_type": "garden", "reason": "stolen"},
                ],
                "household_size": 4,
                "delivery_location": "Behind the side gate \N{WASTEBASKET}\ufe0f",
                "crime_reference": "NS/26/004711",
                "chargeable": True,
            },
        },
    ),
    Example(
        why="In Welsh, without a UPRN: `other` in words, and a repair that does not say what is broken.",
        today=_TODAY,
        pointers=("#/details/requests/1/action",),
        body={
            "council": "E07000999",
            "service": "container-request",
            "version": 1,
            "language": "cy",
            "contact": {"first_name": "Siân", "last_name": "Ŵyn", "phone": "01632 960001"},
            "property": {"address": {"lines": ["Tŷ Gwyn", "Lôn y Felin"], "postcode": "NB3 4EF"}},
            "details": {
                "requests": [
                    {
                        "action": "remove",
                        "waste_type": "other",
                        "waste_type_other": "Olew coginio",
                        "reason": "other",
                        "reason_other": "Nid oes ei angen mwyach",
                    },
                    {"action": "repair", "container_type": "BAG90"},
                ],
                "chargeable": False,
            },
        },
    ),
)

BAD = (
    Example(
        why="A container without a kind, and words for `other` where the reason is another.",
        today=_TODAY,
        pointers=("#/details/requests/0", "#/details/requests/1/reason_other"),
        body={
            "council": "northborough",
            "service": "container-request",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {
                "requests": [
                    {"action": "deliver", "quantity": 1},
                    {"action": "deliver", "waste_type": "food", "reason": "extra", "reason_other": "A big family"},
                ]
            },
        },
    ),
    Example(
        why="It costs something and is not paid for, and nobody can find a home by its street alone.",
        today=_TODAY,
        pointers=("#/payment", "#/property"),
        body={
            "council": "northborough",
            "service": "container-request",
            "version": 1,
            "property": {"usrn": "20601234"},
            "details": {"requests": [{"action": "deliver", "waste_type": "garden"}], "chargeable": True},
        },
    ),
    Example(
        why="An action that there is not, eleven bins, a size in words, and half a person.",
        today=_TODAY,
        pointers=(
            "#/details/requests/0/action",
            "#/details/requests/0/quantity",
            "#/details/requests/0/size_litres",
            "#/details/household_size",
        ),
        body={
            "council": "northborough",
            "service": "container-request",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {
                "requests": [{"action": "swap", "waste_type": "refuse", "quantity": 11, "size_litres": "240L"}],
                "household_size": 2.5,
            },
        },
    ),
)

SERVICE = Service(
    code="container-request",
    title="Bins, boxes and bags",
    title_cy="Biniau, blychau a bagiau",
    description="A household wants a container brought, taken away, changed or mended.",
    versions={1: ContainerRequest},
    lgsl=(REFUSE_CONTAINERS, RECYCLING_CONTAINERS, FOOD, GARDEN),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)

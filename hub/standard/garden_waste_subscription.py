"""Garden waste subscription: bins or sacks for garden waste, taken out, renewed, changed, moved or ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.model import Warning
from hub.standard.envelope import Envelope, Pence
from hub.standard.fields import Day, Exactly, Maybe, Str20, Str64
from hub.standard.labels import Personal, optional, required
from hub.standard.part import Part
from hub.standard.place import Property
from hub.standard.rules import AnyOf, Needs, Rule, When, Within
from hub.standard.service import Example, Service
from hub.standard.wording import AT_HOME


class Action(StrEnum):
    NEW = "new"
    RENEW = "renew"
    AMEND = "amend"
    CANCEL = "cancel"
    TRANSFER = "transfer"


class ContainerKind(StrEnum):
    BIN = "bin"
    SACK = "sack"


class PaymentMethod(StrEnum):
    CARD = "card"
    DIRECT_DEBIT = "direct_debit"
    CASH_OFFICE = "cash_office"
    FREE = "free"


GARDEN_WASTE = 530

Bins = Annotated[int, Field(ge=0, le=10)]

#: What is renewed, changed or ended has to be found first.
_WHICH_ONE = AnyOf(
    ("subscription_ref", "customer_external_ref"),
    "Add `subscription_ref` or `customer_external_ref`: it says which subscription is meant.",
)
_MANDATE = Needs("direct_debit_reference", "Add `direct_debit_reference`: the mandate's reference, no bank details.")
_NEW_HOME = Needs("transfer_to_property", "Add `transfer_to_property`: it says where the subscription moves to.")


class Details(Part):
    """What is wanted, for how many bins, and how it is paid; never card or bank details."""

    action: Action = required("What to do", "Beth i'w wneud", example="new")
    bins_wanted: Bins = required(
        "How many in all", "Faint i gyd", example=1, about="After this; 0 when it is cancelled."
    )
    current_bins: Maybe[Bins] = optional("How many there are now", "Faint sydd yno nawr", example=1)
    new_bins: Maybe[Bins] = optional("How many to deliver", "Faint i'w danfon", example=1)
    container_kind: Maybe[ContainerKind] = optional("Bin or sack", "Bin neu sach", example="bin")
    start_date: Maybe[Day] = optional("Begins on", "Yn dechrau ar", example="2026-04-01")
    due_date: Maybe[Day] = optional("Due for renewal on", "I'w adnewyddu ar", example="2027-03-31")
    payment_method: PaymentMethod = required("How it is paid", "Sut y telir", example="card")
    direct_debit_reference: Maybe[Str64] = optional(
        "Direct Debit mandate",
        "Mandad Debyd Uniongyrchol",
        example="GGW-000042",
        personal=Personal.YES,
        about="The mandate's reference alone; never a sort code or an account number.",
    )
    pro_rata_pence: Maybe[Pence] = optional(
        "Part of a year's price in pence", "Rhan o bris blwyddyn mewn ceiniogau", example=2300
    )
    subscription_ref: Maybe[Str64] = optional(
        "Subscription", "Tanysgrifiad", example="GGW-2025-0042", personal=Personal.YES
    )
    customer_external_ref: Maybe[Str64] = optional(
        "Customer in the back office", "Cwsmer yn y swyddfa gefn", example="cust-4711", personal=Personal.YES
    )
    transfer_to_property: Maybe[Property] = optional(
        "Moves to", "Yn symud i", example={"uprn": "100012345679"}, about="Needed to transfer."
    )
    existing_container: Maybe[Str20] = optional(
        "Container already there", "Cynhwysydd yno eisoes", example="NB004711", about="The number on it, or `no`."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        When("action", (Action.RENEW, Action.AMEND, Action.CANCEL), (_WHICH_ONE,)),
        When("action", (Action.TRANSFER,), (_NEW_HOME,)),
        When("payment_method", (PaymentMethod.DIRECT_DEBIT,), (_MANDATE,)),
        Within("transfer_to_property", (AT_HOME,)),
    )


class GardenWasteSubscription(Envelope):
    """A home's subscription for garden waste."""

    service: Literal["garden-waste-subscription"] = required(
        "Service", "Gwasanaeth", example="garden-waste-subscription"
    )
    version: Annotated[int, Exactly(1)] = required(
        "Version of the service's contract", "Fersiwn contract y gwasanaeth", example=1
    )
    property: Property = required("Property", "Eiddo", example={"uprn": "100012345678"})
    details: Details = required(
        "Details", "Manylion", example={"action": "new", "bins_wanted": 1, "payment_method": "free"}
    )

    rules: ClassVar[tuple[Rule, ...]] = (Within("property", (AT_HOME,)),)

    def remarks(self, *, today: date) -> list[Warning]:
        found = super().remarks(today=today)
        begins = self.details.action in (Action.NEW, Action.RENEW)
        if begins and self.details.payment_method is PaymentMethod.CARD and self.payment is None:
            do = "Send `payment` too: without its reference staff cannot see that this was paid."
            found.append(Warning(pointer="#/details/payment_method", message=do))
        if self.details.action is Action.CANCEL and self.details.bins_wanted > 0:
            do = "Send 0 when a subscription is cancelled; to give up some of the bins, send `amend`."
            found.append(Warning(pointer="#/details/bins_wanted", message=do))
        return found


def _lgsl(data: Mapping[str, Any]) -> tuple[int, ...]:
    return (GARDEN_WASTE,)


_TODAY = date(2026, 3, 10)

GOOD = (
    Example(
        why="The least that is taken: a home by UPRN and one bin, free of charge.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "garden-waste-subscription",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {"action": "new", "bins_wanted": 1, "payment_method": "free"},
        },
    ),
    Example(
        why="Renewed by card with one bin more, in the middle of the year.",
        today=_TODAY,
        body={
            "council": "northborough",
            "service": "garden-waste-subscription",
            "version": 1,
            "contact": {"full_name": "Alex Example", "email": "alex@example.org", "account_id": "cust-4711"},
            "property": {"uprn": "100012345678", "address": {"lines": ["1 High Street"], "postcode": "NB1 2CD"}},
            "payment": {"reference": "pay-7f3k", "provider": "GOV.UK Pay", "amount_pence": 6900, "status": "success"},
            "details": {
                "action": "renew",
                "bins_wanted": 2,
                "current_bins": 1,
                "new_bins": 1,
                "container_kind": "bin",
                "start_date": "2026-04-01",
                "due_date": "2027-03-31",
                "payment_method": "card",
                "pro_rata_pence": 2300,
                "subscription_ref": "GGW-2025-0042",
                "customer_external_ref": "cust-4711",
                "existing_container": "NB004711",
            },
        },
    ),
    Example(
        why="Moved to another home, in Welsh, by Direct Debit: the mandate's reference and nothing of the bank.",
        today=_TODAY,
        body={
            "council": "E07000999",
            "service": "garden-waste-subscription",
            "version": 1,
            "language": "cy",
            "contact": {"full_name": "Siân Ŵyn", "phone": "01632 960001"},
            "property": {"address": {"lines": ["Tŷ Gwyn", "Lôn y Felin"], "postcode": "NB3 4EF"}},
            "details": {
                "action": "transfer",
                "bins_wanted": 3,
                "container_kind": "sack",
                "payment_method": "direct_debit",
                "direct_debit_reference": "GGW-000042",
                "transfer_to_property": {"address": {"lines": ["Tŷ Coch", "Lôn y Capel"], "postcode": "NB5 6GH"}},
                "existing_container": "no",
            },
        },
    ),
)

BAD = (
    Example(
        why="Renewed without saying which, and by Direct Debit without a mandate.",
        today=_TODAY,
        pointers=("#/details", "#/details/direct_debit_reference"),
        body={
            "council": "northborough",
            "service": "garden-waste-subscription",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {"action": "renew", "bins_wanted": 1, "payment_method": "direct_debit"},
        },
    ),
    Example(
        why="Moved to nowhere, from a home that nobody can find.",
        today=_TODAY,
        pointers=("#/property", "#/details/transfer_to_property"),
        body={
            "council": "northborough",
            "service": "garden-waste-subscription",
            "version": 1,
            "property": {"custodian_code": "5990"},
            "details": {"action": "transfer", "bins_wanted": 1, "payment_method": "free"},
        },
    ),
    Example(
        why="Eleven bins, a way to pay that there is not, a bank account, and a negative price.",
        today=_TODAY,
        pointers=(
            "#/details/bins_wanted",
            "#/details/payment_method",
            "#/details/account_number",
            "#/details/pro_rata_pence",
        ),
        body={
            "council": "northborough",
            "service": "garden-waste-subscription",
            "version": 1,
            "property": {"uprn": "100012345678"},
            "details": {
                "action": "new",
                "bins_wanted": 11,
                "payment_method": "cheque",
                "account_number": "00000000",
                "pro_rata_pence": -1,
            },
        },
    ),
)

SERVICE = Service(
    code="garden-waste-subscription",
    title="Garden waste subscription",
    title_cy="Tanysgrifiad gwastraff gardd",
    description="A household takes out, renews, changes, moves or ends its collection of garden waste.",
    versions={1: GardenWasteSubscription},
    lgsl=(GARDEN_WASTE,),
    lgsl_of=_lgsl,
    good=GOOD,
    bad=BAD,
)

"""What a council that runs Whitespace fills in, and what a worksheet wants."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

Id = Annotated[int, Field(ge=1, le=2_147_483_647)]


class WhitespaceSettings(BaseModel):
    """How to reach one council's Whitespace."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "url": "https://council-municipal.whitespace.example/WSAPIService.svc",
                    "username": "hub",
                    "password": "conformance-password",
                }
            ]
        },
    )

    url: Annotated[str, Field(pattern=r"^https?://\S+$", description="The one address that all calls are posted to")]
    username: Annotated[str, Field(min_length=1, description="WS-Security user name")]
    password: Annotated[SecretStr, Field(description="WS-Security password, by reference: `env:NAME` or `file:/path`")]


class ServiceItem(BaseModel):
    """One kind of container or bulky item, by the council's own item id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ServiceItemId: Annotated[Id | None, Field(description="Item id in Whitespace; an item without one is left out")] = (
        None
    )
    ServiceItemName: Annotated[str, Field(description="Whitespace finds the name itself: leave it empty")] = ""
    ServiceItemQuantity: Annotated[int, Field(ge=1, le=999)] = 1


class ServiceProperty(BaseModel):
    """An answer to one of the questions that the council has set up on a service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ServicePropertyId: Annotated[Id, Field(description="Property id in Whitespace")]
    ServicePropertyValue: Annotated[
        str | None, Field(description="The answer; a property without one (or with `0`) is left out")
    ] = None


class CreateWorksheet(BaseModel):
    """A worksheet: work for one service at one property."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "Uprn": "1000001",
                    "ServiceId": 81,
                    "WorksheetReference": "{our_reference}",
                    "WorksheetMessage": "The bin was out by 6 am",
                    "ServiceItemInputs": [{"ServiceItemId": 22, "ServiceItemQuantity": 1}],
                    "ServicePropertyInputs": [{"ServicePropertyId": 79, "ServicePropertyValue": "No"}],
                }
            ]
        },
    )

    Uprn: Annotated[str, Field(pattern=r"^\d{1,12}$", description="The property's UPRN")]
    ServiceId: Annotated[Id, Field(description="Service id in Whitespace, as the council numbers them")]
    WorksheetReference: Annotated[
        str | None, Field(min_length=1, description="Our reference; the delivery's own where it is left out")
    ] = None
    WorksheetMessage: Annotated[str, Field(description="What the crew and the office are to read")] = ""
    WorksheetDueDate: Annotated[
        str | None,
        Field(pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$", description="Local time, such as `2025-07-04 23:59`"),
    ] = None
    ServiceItemInputs: Annotated[list[ServiceItem], Field(description="Containers or bulky items")] = []
    ServicePropertyInputs: Annotated[
        list[ServiceProperty], Field(description="Answers to the service's questions")
    ] = []
    AdHocRoundInstanceId: Annotated[Id | None, Field(description="A booked slot")] = None

    @field_validator("ServiceItemInputs", mode="after")
    @classmethod
    def _known_items(cls, items: list[ServiceItem]) -> list[ServiceItem]:
        return [item for item in items if item.ServiceItemId is not None]

    @field_validator("ServicePropertyInputs", mode="after")
    @classmethod
    def _answered(cls, answers: list[ServiceProperty]) -> list[ServiceProperty]:
        # As Whitespace's other clients do: an empty answer, or "0", is no answer.
        return [one for one in answers if one.ServicePropertyValue not in (None, "", "0")]

    @field_validator("Uprn", mode="before")
    @classmethod
    def _digits(cls, uprn: Any) -> Any:
        return str(uprn) if isinstance(uprn, int) and not isinstance(uprn, bool) else uprn

"""What a Jadu case type wants: its own flat fields, whose names are per form."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Scalar = str | int | float | bool | None


class Near(BaseModel):
    """A point in OSGB36 metres, where the gazetteer is to look for the street."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    easting: Annotated[float, Field(ge=0, le=700_000)]
    northing: Annotated[float, Field(ge=0, le=1_300_000)]


class CreateCase(BaseModel):
    """One case. Every field but `case_type` and `near` is the form's own and is sent as it is; null where there is
    no answer, as Jadu's forms expect."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "case_type": "fly-tipping",
                    "near": {"easting": 510000, "northing": 239000},
                    "ens-description-of-fly-tipped-waste": "Black bags by the gate",
                    "ens-fly-tip-date": None,
                    "sys-first-name": "Fred",
                    "sys-last-name": "Smith",
                    "sys-email-address": "fred@example.com",
                    "fms-reference": "{our_reference}",
                }
            ]
        },
    )
    __pydantic_extra__: dict[str, Scalar]

    case_type: Annotated[str, Field(min_length=1, description="The form's name in the address of the create call")]
    near: Annotated[Near | None, Field(description="Where to look for the street; never sent to Jadu itself")] = None

    def form(self) -> dict[str, Any]:
        """The form's own fields, in the order of the mapping."""
        return dict(self.__pydantic_extra__)

"""What a council that runs Jadu fills in."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Address = Annotated[str, Field(pattern=r"^https?://\S+$")]


class GazetteerSettings(BaseModel):
    """Aligned Assets SinglePoint: where a point is turned into a street. `*_field` name the form's own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[Address, Field(description="Base address; the hub adds the name of the search")]
    api_key: Annotated[SecretStr, Field(description="SinglePoint's key, by reference")]
    adapter: Annotated[str, Field(min_length=1, description="SinglePoint's adapter name")] = "LLPG"
    distance: Annotated[int, Field(ge=1, le=10_000, description="Metres around the point to search")] = 100
    usrn_field: str = "usrn"
    street_field: str = "ens-street"
    town_field: str = "sys-town"
    officer_field: str = "eso-officer"
    officers: Annotated[
        dict[str, str], Field(description="Officer by town; where it is given, a town without one is passed over")
    ] = {}


class JaduSettings(BaseModel):
    """How to reach one council's Jadu."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "url": "https://cxm.example/api/service-api/norbert/",
                    "api_key": "conformance-api-key",
                    "username": "hub",
                    "password": "conformance-password",
                    "gazetteer": {
                        "url": "https://gazetteer.example/singlepoint/",
                        "api_key": "conformance-gazetteer-key",
                    },
                }
            ]
        },
    )

    url: Annotated[Address, Field(description="Base address of the service API")]
    api_key: Annotated[SecretStr, Field(description="X-API-KEY, by reference: `env:NAME` or `file:/path`")]
    username: Annotated[str, Field(min_length=1, description="The user who signs in")]
    password: Annotated[SecretStr, Field(description="The user's password, by reference")]
    token_minutes: Annotated[
        float, Field(gt=0, le=1440, description="How long a token is kept; its true life is not documented")
    ] = 30.0
    gazetteer: Annotated[GazetteerSettings | None, Field(description="Only for forms that ask for a street")] = None

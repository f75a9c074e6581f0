"""Open311 GeoReport v2 with mySociety's extensions: the door that FixMyStreet and its kin come in by."""

from hub.intake.open311.routes import router

__all__ = ["router"]

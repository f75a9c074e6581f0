"""The bell: kombu; nothing but ids travel."""

from hub.broker.bell import Bell, Counts

__all__ = ["Bell", "Counts"]

"""What a front end imports to publish: `async with AsyncHub(url, key=…)`, or `with Hub(url, key=…)`."""

from hub.client.answers import Accepted, Delivery, Refused, Status, Unreachable, Update, Upload, Warned
from hub.client.asynchronous import AsyncHub
from hub.client.synchronous import Hub

__all__ = [
    "Accepted",
    "AsyncHub",
    "Delivery",
    "Hub",
    "Refused",
    "Status",
    "Unreachable",
    "Update",
    "Upload",
    "Warned",
]

"""A back office that says that it knows a repeat, and makes a second case of it."""

from __future__ import annotations

from hub.connector.testing import Call, Reply
from hub.connector.testing.scriptable_simulator import ScriptableBackOffice


class Liar(ScriptableBackOffice):
    """Takes the option, and does not keep to it."""

    def answer(self, call: Call) -> Reply:
        told, self.option = self.option, {**self.option, "idempotent": False}
        try:
            return super().answer(call)
        finally:
            self.option = told

"""What a person does next about a delivery that is stuck: one line for each thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: What the last try of a dead step came to, and what that asks of a person.
_DEAD = {
    "refused": "it was read and refused: mend the data or the mapping (then `hub reload`)",
    "misconfigured": "our key, address or settings are wrong: mend them (then `hub reload`)",
    "unavailable": "it was tried as often as it may be: see that the system is well",
}
_DEAD_OTHERWISE = "it was given up: see why"
_UNSENT = "nothing was sent: mend what is named above (then `hub reload`), or tell the council by hand"


def advice(delivery: Mapping[str, Any]) -> Iterator[str]:
    """What `GET /v1/deliveries/{id}` says, as sentences with the commands in them; nothing for one that is well."""
    steps = delivery["steps"]
    # While the case is not there its later parts wait for it, and verbs act on the case.
    acting = [step for step in steps if step["position"] == 0 and step["state"] != "delivered"] or steps
    waits = delivery["waiting"]
    for step in acting:
        last = _last_try(delivery, step["position"])
        what = f"Step {step['position']} ({step['kind']})"
        sent = last is not None and last["sent_at"] is not None
        if last and last["failure"] and step["state"] in ("dead", "unclear"):
            yield f"{what} failed: {last['failure']}"
        match step["state"]:
            case "dead":
                why = _DEAD.get(last["outcome"], _DEAD_OTHERWISE) if last and sent else _UNSENT
                yield f"{what} is a person's: {why}, then {_verbs(delivery)}"
            case "unclear" if not waits:
                yield (
                    f"{what} is a person's: nobody knows whether it was taken. Look in the council's system for "
                    f"{delivery['our_reference']}, then `hub deliveries resolve {delivery['id']} "
                    "--outcome delivered|not_there|discard --reason …`"
                )
    if waits and waits["reason"] == "paused":
        yield f"Nothing is sent before it is well: mend it, then `hub destinations resume {delivery['destination']}`"


def _last_try(delivery: Mapping[str, Any], position: int) -> Mapping[str, Any] | None:
    tries = [one for one in delivery["attempts"] if one["step"] == position]
    return tries[-1] if tries else None


def _verbs(delivery: Mapping[str, Any]) -> str:
    return f"`hub deliveries replay {delivery['id']}`, or `hub deliveries discard {delivery['id']} --reason …`"

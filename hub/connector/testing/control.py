"""The control plane: what a test may ask of a pretend back office, and tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.connector.testing.modes import ControlFault, read_object, set_from_json
from hub.connector.testing.wire import Call, Reply, json_reply

if TYPE_CHECKING:
    from hub.connector.testing.office import Office

_PLANES = {
    "/_ledger": ("GET", "DELETE"),
    "/_behaviour": ("GET", "POST"),
    "/_options": ("GET", "PUT"),
}


def is_control(path: str) -> bool:
    """No product of ours has a path that begins like this."""
    return path.startswith("/_")


def control(office: Office, call: Call) -> Reply:
    """Answer one control request; one that means nothing gets 400 and says what would."""
    methods = _PLANES.get(call.path)
    if methods is None:
        return _fault(404, f"nothing here; the control plane is {', '.join(_PLANES)}")
    if call.method not in methods:
        return _fault(405, f"{call.path} takes {' and '.join(methods)}", allow=", ".join(methods))
    try:
        return json_reply(_do(office, call))
    except ControlFault as fault:
        return _fault(400, str(fault))


def _do(office: Office, call: Call) -> dict[str, Any]:
    match call.method, call.path:
        case "GET", "/_ledger":
            office.look()
            return {"items": office.ledger.items}
        case "DELETE", _:
            return {"forgotten": office.forget()}
        case "POST", _:
            set_from_json(office.script, call.body, known=office.modes)
            office.behave()
        case "PUT", _:
            _set_options(office, call.body)
        case _:
            pass
    return office.script.as_dict() if call.path == "/_behaviour" else dict(office.option)


def _set_options(office: Office, raw: bytes) -> None:
    wanted = read_object(raw, known=tuple(office.options))
    for name, value in wanted.items():
        kind = type(office.options[name])
        kinds = (int, float) if kind is float else kind
        if not isinstance(value, kinds) or (kind is not bool and isinstance(value, bool)):
            raise ControlFault(f"{name} must be like {office.options[name]!r}")
    office.option.update(wanted)


def _fault(status: int, message: str, **headers: str) -> Reply:
    return json_reply({"error": message}, status=status, **headers)

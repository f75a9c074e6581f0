"""What the hub says of itself while nothing can be kept."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import urlopen

from hub.gameday.scenario import Act


def expect_not_ready(act: Act) -> None:
    """`/health/ready` must say so: whoever balances load sends residents elsewhere."""
    status: object
    try:
        with urlopen(f"{act.rig.url}/health/ready", timeout=10) as answer:
            status = answer.status
    except HTTPError as refused:
        with refused:
            status = refused.code
    except OSError as failure:
        status = type(failure).__name__
    act.told["ready_meanwhile"] = status
    if status != 503:
        act.wrong.append(f"/health/ready says {status} while nothing can be kept, not 503")

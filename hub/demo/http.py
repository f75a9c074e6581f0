"""The demo's own caller: it asks the hub as any front end and any member of staff would."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

from hub.demo.stage import DemoFailed


def post(url: str, body: Any, *, key: str) -> Any:
    """Send JSON, under an idempotency key of its own. Raises DemoFailed for any answer that is not a yes."""
    return _ask(Request(url, data=json.dumps(body).encode(), method="POST"), key=key)


def send(url: str, content: bytes, *, media_type: str, key: str) -> bytes:
    """Send a body just as it is, with `key` in a header unless it is in the body. Raises DemoFailed."""
    request = Request(url, data=content, method="POST")
    request.add_header("Content-Type", media_type)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    return _answer(request)


def get(url: str, *, key: str) -> Any:
    return _ask(Request(url), key=key)


def _ask(request: Request, *, key: str) -> Any:
    request.add_header("Authorization", f"Bearer {key}")
    if request.data is not None:
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", str(uuid4()))
    return json.loads(_answer(request))


def _answer(request: Request) -> bytes:
    try:
        with urlopen(request, timeout=30) as answer:
            said: bytes = answer.read()
            return said
    except HTTPError as refused:
        with refused:
            raise DemoFailed(f"{request.full_url} answered {refused.code}: {refused.read().decode()[:500]}") from None
    except (URLError, OSError) as failure:
        raise DemoFailed(f"{request.full_url} does not answer ({type(failure).__name__}); see hub.log.") from failure

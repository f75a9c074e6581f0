"""The description of the queue door that programs read (AsyncAPI 3.0)."""

from __future__ import annotations

import json
from typing import Any

from hub import __version__
from hub.broker.queues import MOST_TRIES, REJECTED_LIFE, Mailboxes
from hub.standard import SERVICES

_TEXT = {"type": "string"}


def document(*, base: str) -> bytes:
    """The document as JSON; contracts are named by their addresses, as they have examples of their own there."""
    return json.dumps(_describe(Mailboxes(), base), ensure_ascii=False).encode()


def _describe(names: Mailboxes, base: str) -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Council Hub: the queue door",
            "version": __version__,
            "description": "The same submissions as over HTTP, for front ends that publish to a queue. "
            "The hub acknowledges a message only once it is stored.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "submissions": {
                "address": names.exchange.name,
                "description": "A durable topic exchange. Publish with confirms and any routing key; "
                "`{council}.{service}` is usual.",
                "messages": {"submission": {"$ref": "#/components/messages/submission"}},
                "bindings": {
                    "amqp": {
                        "is": "routingKey",
                        "exchange": {"name": names.exchange.name, "type": "topic", "durable": True},
                        "bindingVersion": "0.3.0",
                    }
                },
            },
            "answers": {
                "address": None,
                "description": "The queue that `reply_to` names.",
                "messages": {
                    "accepted": {"$ref": "#/components/messages/accepted"},
                    "problem": {"$ref": "#/components/messages/problem"},
                },
            },
            "rejected": {
                "address": names.rejected_name,
                "description": f"What can never be taken as it is, kept for {REJECTED_LIFE.days} days; also what the "
                f"hub tried {MOST_TRIES} times and could not finish.",
                "messages": {"rejected": {"$ref": "#/components/messages/rejected"}},
                "bindings": {
                    "amqp": {
                        "is": "queue",
                        "queue": {"name": names.rejected_name, "durable": True},
                        "bindingVersion": "0.3.0",
                    }
                },
            },
        },
        "operations": {
            "take": {
                "action": "receive",
                "channel": {"$ref": "#/channels/submissions"},
                "reply": {
                    "address": {"location": "$message.header#/reply_to"},
                    "channel": {"$ref": "#/channels/answers"},
                },
            },
            "reject": {"action": "send", "channel": {"$ref": "#/channels/rejected"}},
        },
        "components": {"messages": _messages(base)},
    }


def _messages(base: str) -> dict[str, Any]:
    contracts = [{"$ref": f"{base}/v1/services/{code}/schema"} for code in SERVICES]
    openapi = f"{base}/openapi.json#/components/schemas"
    return {
        "submission": {
            "title": "A submission",
            "description": "`user_id` must be your broker user, which has the name of your front end: the broker "
            "verifies it. `message_id` is the idempotency key: the same id and content get the first answer for "
            "7 days.",
            "headers": {
                "type": "object",
                "required": ["user_id", "message_id"],
                "properties": {
                    "user_id": _TEXT,
                    "message_id": {"type": "string", "minLength": 1, "maxLength": 255},
                    "reply_to": _TEXT,
                    "correlation_id": _TEXT,
                    "traceparent": _TEXT,
                },
            },
            "payload": {"oneOf": contracts},
        },
        "accepted": {
            "title": "It is stored: the body of the 202",
            "correlationId": {"location": "$message.header#/correlation_id"},
            "payload": {"$ref": f"{openapi}/AcceptedBody"},
        },
        "problem": {
            "title": "It was not taken, and why",
            "contentType": "application/problem+json",
            "payload": {"$ref": f"{openapi}/ProblemBody"},
        },
        "rejected": {
            "title": "The message as it came, with the reasons",
            "headers": {
                "type": "object",
                "properties": {
                    "problem_type": {"type": "string", "format": "uri"},
                    "message_id": _TEXT,
                    "front_end": _TEXT,
                    "fault_count": {"type": "integer"},
                    "faults": {
                        "type": "array",
                        "maxItems": 20,
                        "items": {
                            "type": "object",
                            "properties": {"pointer": _TEXT, "message": _TEXT},
                        },
                    },
                },
            },
            "payload": {},
        },
    }

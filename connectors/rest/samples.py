"""Settings and records that the conformance kit tries, each a product of another manner."""

from __future__ import annotations

from typing import Any, Final

#: JSON, a bearer token, and a search by our reference.
_SEARCHED: Final[dict[str, Any]] = {
    "url": "https://crm.example/api",
    "auth": {"bearer": {"token": "conformance-token"}},
    "create": {"path": "/{kind}/cases", "wrap": "case", "reference": "/data/id", "ok": {"at": "/ok", "is": True}},
    "update": {"path": "/cases/{reference}/notes"},
    "cancel": {"method": "DELETE", "path": "/cases/{reference}", "body": "none"},
    "attach": {"path": "/cases/{reference}/files", "fields": {"title": "{name}"}},
    "lookup": {
        "path": "/cases?external_ref={our_reference}",
        "list": "/items",
        "reference": "/id",
        "our_reference": "/external_ref",
    },
    "check": "/cases?external_ref=none",
}
#: Forms, OAuth2 client credentials, and keys that make a repeat the same case; the number stands in a header.
_KEYED: Final[dict[str, Any]] = {
    "url": "https://crm.example/keyed",
    "auth": {
        "oauth2": {
            "token_url": "https://crm.example/oauth/token",
            "client_id": "hub",
            "client_secret": "conformance-client-secret",
            "scope": "cases.write",
        },
        "header": {"name": "Ocp-Apim-Subscription-Key", "value": "conformance-subscription"},
    },
    "idempotency_header": "Idempotency-Key",
    "create": {
        "method": "PUT",
        "path": "/cases/{our_reference}",
        "body": "form",
        "reference": {"header": "Location", "pattern": "/cases/([^/?]+)"},
        "refused": {"status": 422},
        "busy": {"status": 423},
    },
    "update": {"method": "PATCH", "path": "/cases/{reference}", "body": "form"},
    "attach": {
        "path": "/cases/{reference}/files",
        "body": "json",
        "json": {"name": "{name}", "type": "{media_type}", "content": "{base64}"},
    },
}
#: XML, a password, and a product that says "already there" and which case that is.
_REJECTS: Final[dict[str, Any]] = {
    "url": "https://crm.example/unique",
    "auth": {"basic": {"username": "hub", "password": "conformance-password"}},
    "answers": "xml",
    "create": {
        "path": "/cases",
        "body": "xml",
        "xml": {"root": "Case", "namespace": "urn:example:cases"},
        "reference": "Case/Id",
        "duplicate": {"status": 409, "reference": "Case/Id", "our_reference": "Case/ExternalRef"},
    },
    "update": {"path": "/cases/{reference}/notes", "body": "xml", "xml": {"root": "Note"}},
    "check": "/cases?external_ref=none",
}
SETTINGS: Final[list[Any]] = [_SEARCHED, _KEYED, _REJECTS]

RECORDS: Final[list[Any]] = [
    {
        "kind": "waste",
        "title": "A bin was missed at Müller’s café",
        "external_ref": "{our_reference}",
        "priority": 2,
        "urgent": False,
        "weight": 1.5,
        "reporter": None,
        "place": {"uprn": "100012345678", "point": [510000, 239000]},
        "items": [{"code": "food", "bins": 2}, {"code": "refuse", "bins": 1}],
    },
    {
        "title": "A bin was missed at Müller’s café",
        "external_ref": "{our_reference}",
        "priority": 2,
        "place": {"uprn": "100012345678"},
        "items": ["food", "refuse"],
    },
    {
        "@source": "hub",
        "Title": "A bin was missed at Müller’s café <by the gate>",
        "ExternalRef": "{our_reference}",
        "Priority": 2,
        "Place": {"Uprn": "100012345678"},
        "Item": [{"Code": "food"}, {"Code": "refuse"}],
    },
]

"""Every door of a hub with good requests of every kind, and each of them spoilt by a throw of the dice."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from hub.standard import SERVICES
from hub.standard.attachment import DOT
from tests.fuzzing import TEXTS, Shot, as_json, battered, hostile_form, misled, mistold, spoilt
from tests.open311 import FLY_TIP, MISSED, Pair, changed
from tests.wide import INFREEMATION, XGOV

LONGEST = 2_000_000
PNG = base64.b64decode(DOT)
_JSON = (b"Content-Type", b"application/json")
_VERBS: Mapping[str, Sequence[tuple[str, Any]]] = {
    "delivery": (
        ("/v1/deliveries/{}/replay", {"reason": "The mapping was mended.", "new_case": True}),
        ("/v1/deliveries/{}/discard", {"reason": "The resident rang."}),
        ("/v1/deliveries/{}/resolve", {"outcome": "delivered", "reference": "WS-1", "reason": "Seen there."}),
    ),
    "received": (("/v1/received/{}/replay", {}), ("/v1/received/{}/discard", {"reason": "A test."})),
    "operation": (("/v1/operations/{}/start", {}), ("/v1/operations/{}/pause", {"reason": "It is slow."})),
}
_DRAFT = {
    "kind": "replay",
    "filter": {"state": ["dead"], "destination": "northborough/waste", "since": "2h", "ids": []},
    "reason": "The mapping was mended.",
    "rate": 5,
    "canary": 3,
    "generation": 1,
}
_READ = (
    "/v1/submissions?limit=5&council=northborough&reference={submission}", "/v1/submissions/{submission}",
    "/v1/services?limit=2&cursor=Y29tcGxhaW50", "/v1/services/{service}", "/v1/services/{service}/schema?version=1",
    "/v1/councils", "/v1/councils/{council}", "/v1/deliveries?state=dead,queued&since=2026-11-24T00:00:00Z&limit=5",
    "/v1/deliveries?group={group}&q={submission}&destination=northborough/waste", "/v1/deliveries/{delivery}",
    "/v1/groups?limit=3", "/v1/destinations", "/v1/received?state=parked&council=northborough&format=xgov",
    "/v1/received/{received}", "/v1/audit?council=northborough", "/v1/operations?state=ready",
    "/v1/operations/{operation}/items?cursor=MQ", "/problems/invalid", "/openapi.json", "/health/ready", "/metrics",
    "/open311/{council}/discovery.xml", "/open311/{council}/services.json?jurisdiction_id=northborough",
    "/open311/{council}/services/missed-bin.xml", "/open311/{council}/requests.xml?service_request_id={report},X",
    "/open311/{council}/requests/{report}.json", "/open311/{council}/tokens/{report}.xml",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What stands at a hub's doors: its keys, and one of each thing that an address can name."""

    key: str
    token: str
    there: Mapping[str, Sequence[str]]
    today: date

    def shot(self, dice: random.Random) -> tuple[str, Shot]:
        """One request and the door it goes to: now and then a good one, mostly one that was spoilt."""
        doors: Sequence[tuple[str, Callable[[random.Random], Shot], int]] = (
            ("submissions", self._submission, 30),
            ("batch", self._batch, 10),
            ("updates", self._update, 10),
            ("attachments", self._attachment, 8),
            ("open311 form", self._form, 12),
            ("open311 multipart", self._multipart, 6),
            ("xgov", self._xgov, 8),
            ("infreemation", self._infreemation, 8),
            ("staff", self._staff, 5),
            ("reading", self._reading, 12),
        )
        name, made, _ = dice.choices(doors, [weight for *_, weight in doors])[0]
        shot = made(dice)
        luck = dice.random()
        if luck < 0.25:
            shot = replace(shot, body=battered(shot.body, dice)) if shot.body else misled(shot, dice)
        elif luck < 0.35:
            shot = mistold(shot, dice)
        elif luck < (0.8 if name == "reading" else 0.4):
            shot = misled(shot, dice)
        # Larger ones have tests of their own; here a few that meet by chance would hide a leak behind their high water.
        return name, replace(shot, body=shot.body[:LONGEST])

    def submission(self, dice: random.Random) -> Any:
        """A good submission of any service and version."""
        service = SERVICES[dice.choice(sorted(SERVICES))]
        good, _ = service.examples(dice.choice(sorted(service.versions)), today=self.today)
        return {**dice.choice(good).as_dict()["body"], "council": "northborough"}

    def _said(self, tree: Any, dice: random.Random) -> bytes:
        return as_json(spoilt(tree, dice) if dice.random() < 0.75 else tree, dice)

    def _headers(self, *more: tuple[bytes, bytes], key: str = "") -> tuple[tuple[bytes, bytes], ...]:
        return ((b"Authorization", b"Bearer " + (key or self.key).encode()), *more)

    def _to(self, path: str, dice: random.Random) -> bytes:
        return path.format_map({name: dice.choice(values or ["x"]) for name, values in self.there.items()}).encode()

    def _submission(self, dice: random.Random) -> Shot:
        keyed = ((b"Idempotency-Key", b"k%d" % dice.randrange(400)),) if dice.random() < 0.3 else ()
        body = self._said(self.submission(dice), dice)
        return Shot(method="POST", path=b"/v1/submissions", headers=self._headers(_JSON, *keyed), body=body)

    def _batch(self, dice: random.Random) -> Shot:
        items = [self.submission(dice) for _ in range(dice.choice((1, 2, 5)))]
        if dice.random() < 0.5:
            items[0]["idempotency_key"] = f"b{dice.randrange(50)}"
        body = self._said({"items": items}, dice)
        return Shot(method="POST", path=b"/v1/submissions/batch", headers=self._headers(_JSON), body=body)

    def _update(self, dice: random.Random) -> Shot:
        file = {"name": "bin.png", "media_type": "image/png", "content_base64": DOT}
        said = dice.choice((
            {"kind": "comment", "text": "It is still there.", "contact": {"full_name": "Sam", "phone": "01632 960001"}},
            {"kind": "cancel", "text": "It was collected.", "submitted_at": "2026-11-24T00:00:00Z"},
            {"kind": "evidence", "attachments": [file], "extra": {"again": "yes"}},
        ))  # fmt: skip
        path = self._to("/v1/submissions/{submission}/updates", dice)
        return Shot(method="POST", path=path, headers=self._headers(_JSON), body=self._said(said, dice))

    def _file(self, dice: random.Random) -> bytes:
        magic = dice.choice((PNG, b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"PK\x03\x04", b"GIF89a", b"a,b\n1,2\n", b""))
        return magic + dice.randbytes(dice.choice((0, 0, 40, 4_000, 300_000)))

    def _attachment(self, dice: random.Random) -> Shot:
        fields = {dice.choice(TEXTS): dice.choice(TEXTS)} if dice.random() < 0.3 else {}
        kind, body = hostile_form(dice, fields, self._file(dice))
        headers = self._headers((b"Content-Type", kind))
        return Shot(method="POST", path=b"/v1/attachments", headers=headers, body=body)

    def _fields(self, dice: random.Random) -> list[Pair]:
        own = {"api_key": self.key, "jurisdiction_id": "northborough"}
        pairs = changed(dice.choice((MISSED, FLY_TIP)), **own)
        # Each a report of its own; a few repeat one that came before with other content.
        pairs = changed(pairs, attribute__fixmystreet_id=str(dice.randrange(2_000)))
        for _ in range(dice.choice((0, 0, 1, 3))):
            at = dice.randrange(len(pairs))
            match dice.randrange(4):
                case 0:
                    pairs[at] = (pairs[at][0], dice.choice(TEXTS))
                case 1:
                    pairs[at] = (dice.choice(TEXTS), pairs[at][1])
                case 2:
                    pairs.extend([pairs[at]] * dice.choice((1, 30, 1_100)))
                case _:
                    del pairs[at]
        return pairs

    def _form(self, dice: random.Random) -> Shot:
        told = [(name.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass"))
                for name, value in self._fields(dice)]  # fmt: skip
        path = dice.choice((b"/open311/northborough/requests.xml", b"/open311/E07000999/requests.json"))
        form = (b"Content-Type", b"application/x-www-form-urlencoded")
        return Shot(method="POST", path=path, headers=(form,), body=urlencode(told).encode())

    def _multipart(self, dice: random.Random) -> Shot:
        kind, body = hostile_form(dice, dict(self._fields(dice)), self._file(dice))
        path = b"/open311/northborough/requests." + dice.choice((b"xml", b"json"))
        return Shot(method="POST", path=path, headers=((b"Content-Type", kind),), body=body)

    def _xgov(self, dice: random.Random) -> Shot:
        form = json.loads(XGOV)
        form["questions"][0]["fields"][1]["answer"] += str(dice.randrange(10_000))
        path = b"/intake/northborough/xgov/" + dice.choice((b"complaint", b"complaint", b"general-enquiry", b"none"))
        method = dice.choice(("POST", "POST", "PUT"))
        return Shot(method=method, path=path, headers=self._headers(_JSON), body=self._said(form, dice))

    def _infreemation(self, dice: random.Random) -> Shot:
        form = {**json.loads(INFREEMATION), "key": self.key}
        form["body"] += str(dice.randrange(10_000))
        if dice.random() < 0.1:
            form = {"rt": "published", "key": self.key, "username": "foo", "startdate": "2026-01-01"}
        path = b"/intake/northborough/infreemation/foi-request" + dice.choice((b"", b"/foi/", b"/"))
        headers = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
        return Shot(method="POST", path=path, headers=headers, body=self._said(form, dice))

    def _staff(self, dice: random.Random) -> Shot:
        headers = self._headers(_JSON, key=self.token)
        if dice.random() < 0.4:
            return Shot(method="POST", path=b"/v1/operations", headers=headers, body=self._said(_DRAFT, dice))
        name = dice.choice(sorted(_VERBS))
        path, words = dice.choice(_VERBS[name])
        to = path.format(dice.choice(self.there[name] or ["x"])).encode()
        return Shot(method="POST", path=to, headers=headers, body=self._said(words, dice))

    def _reading(self, dice: random.Random) -> Shot:
        key = dice.choice((self.token, self.token, self.key))
        return Shot(method="GET", path=self._to(dice.choice(_READ), dice), headers=self._headers(key=key))

"""A council whose systems no connector knows goes live in one file, from an empty folder."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from connectors.rest import Rest
from connectors.rest.simulator import RestBackOffice
from connectors.webhook import Webhook
from connectors.webhook.simulator import WebhookReceiver
from hub.connector.testing import At, Mode, serving
from hub.model import StepState
from hub.past import Past
from hub.registry import Registry
from tests.bodies import MARKER, complaint, missed_bin
from tests.files import JPEG
from tests.live import findings, kept, live, until, write
from tests.offices import misbehave

SECRET = "whsec_Y29uZm9ybWFuY2Utc2VjcmV0LW9mLXRoZS1odWI="
COUNCIL = """\
council: Eastvale District Council
slug: eastvale
gss: E07000997
calendar: england-and-wales
destinations:
  crm:
    connector: rest
    settings:
      url: "{crm}"
      auth:
        oauth2: {{token_url: "{tokens}", client_id: hub, client_secret: "{secret}"}}
      create:
        path: "/{{kind}}/cases"
        wrap: case
        ok: {{at: /ok, is: true}}
        reference: /data/id
      lookup:
        path: "/cases?external_ref={{our_reference}}"
        list: /items
        reference: /id
        our_reference: /external_ref
    limits: {{concurrency: 4, timeout: 2s}}
    settle: 1s
    retry: [1s, 1s, 1s]
  clerk:
    connector: webhook
    settings: {{url: "{clerk}", secrets: ["{whsec}"], deduplicates: true, reference: /data/id}}
    limits: {{timeout: 2s}}
    retry: [1s, 1s, 1s]
routes:
  - service: missed-bin
    to: crm
    mapping:
      needs:
        kinds: {{help: The product's word for each waste type, keys: waste_type}}
      each: container in details.containers
      create:
        operation: create
        record:
          kind: waste
          external_ref: "{{{{ hub.our_reference }}}}"
          waste: "{{{{ container.waste_type | lookup(kinds) }}}}"
          bins: "{{{{ container.quantity | default(1) }}}}"
          site:
            uprn: "{{{{ property.uprn | default(omit) }}}}"
            postcode: "{{{{ property.address.postcode | default(omit) }}}}"
          notes: "{{{{ description | default(omit) }}}}"
    with:
      kinds: {{table: {{refuse: REF, food: FOOD}}, on_missing: default, default: OTHER}}
  - service: complaint
    to: clerk
    mapping:
      create:
        operation: create
        record:
          type: complaint.made
          data:
            reference: "{{{{ hub.our_reference }}}}"
            words: "{{{{ details.what_happened | default('') }}}}"
"""


def registry() -> Registry:
    return Registry({"rest": Rest, "webhook": Webhook})


async def test_one_file_passes_the_check_and_carries_everything(tmp_path: Path) -> None:
    crm, clerk = RestBackOffice(), WebhookReceiver()
    crm.option |= {"client_id": "hub", "client_secret": "correct-horse-battery"}
    async with serving(crm) as crm_at, serving(clerk) as clerk_at:
        told = kept(
            tmp_path,
            crm=f"{crm_at.url}/api",
            tokens=f"{crm_at.url}/oauth/token",
            secret="correct-horse-battery",
            clerk=clerk_at.url,
            whsec=SECRET,
        )
        write(tmp_path / "mappings", "eastvale", COUNCIL.format(**told))
        said = findings(tmp_path / "mappings", registry=registry())
        assert [each for each in said if " error " in each] == []
        assert {each.split()[2] for each in said} <= {"no_case"}
        async with live(tmp_path, registry=registry()) as here:
            bins = await here.publish(missed_bin("refuse", "glass") | {"council": "eastvale"})
            words = await here.publish(complaint() | {"council": "eastvale"})
            cases, (message,) = await here.settled(bins.id), await here.settled(words.id)
    assert {(each.state, each.reference) for each in cases} == {
        (StepState.DELIVERED, "CASE-000001"),
        (StepState.DELIVERED, "CASE-000002"),
    }
    rows = {row["our_reference"]: row["record"]["case"] for row in crm.ledger.items}
    assert rows[f"{bins.reference}-2"] == {
        "external_ref": f"{bins.reference}-2",
        "waste": "OTHER",
        "bins": 1,
        "site": {"uprn": "100090215480", "postcode": "AB1 2CD"},
        "notes": f"Left behind, says {MARKER}. Dyma'r bin gwyrdd 🗑️",
    }
    assert (message.state, message.reference) == (StepState.DELIVERED, "MSG-000001")
    assert clerk.ledger.items[0]["record"]["data"]["reference"] == words.reference
    assert crm.tokens_given == 1


async def test_what_such_systems_never_confirmed_is_looked_up_or_repeated_and_never_doubled(tmp_path: Path) -> None:
    crm, clerk = RestBackOffice(), WebhookReceiver()
    async with serving(crm) as crm_at, serving(clerk) as clerk_at:
        told = kept(
            tmp_path,
            crm=crm_at.url,
            tokens=f"{crm_at.url}/token",
            secret="correct-horse-battery",
            clerk=clerk_at.url,
            whsec=SECRET,
        )
        write(tmp_path / "mappings", "eastvale", COUNCIL.format(**told))
        async with live(tmp_path, registry=registry()) as here:
            for office in (crm, clerk):
                misbehave(office, Mode.COMMIT_THEN_DROP, times=1)
            bins = await here.publish(missed_bin("food") | {"council": "eastvale"})
            words = await here.publish(complaint() | {"council": "eastvale"})
            (case,), (message,) = await here.unhurried(bins.id), await here.unhurried(words.id)
    assert (case.state, case.reference) == (StepState.DELIVERED, "CASE-000001")
    assert (message.state, message.reference) == (StepState.DELIVERED, "MSG-000001")
    assert (len(crm.ledger.items), len(clerk.ledger.items)) == (1, 1)


FOLLOWED = """\
council: Eastvale District Council
slug: eastvale
gss: E07000997
destinations:
  crm:
    connector: rest
    settings:
      url: "{crm}"
      idempotency_header: Idempotency-Key
      create: {{path: /cases, reference: /id}}
      update: {{path: "/cases/{{reference}}/notes"}}
      attach: {{path: "/cases/{{reference}}/files"}}
    retry: [1s, 1s, 1s]
routes:
  - service: complaint
    to: crm
    mapping:
      create: {{operation: create, record: {{ref: "{{{{ hub.our_reference }}}}"}}}}
      update: {{operation: update, record: {{words: "{{{{ update.text | default('') }}}}", as: "{said}"}}}}
"""


async def test_files_and_words_follow_their_case_and_a_doubt_about_them_makes_no_second_one(tmp_path: Path) -> None:
    crm = RestBackOffice()
    async with serving(crm) as at:
        told = kept(tmp_path, crm=at.url)
        write(tmp_path / "mappings", "eastvale", FOLLOWED.format(**told, said="first"))
        async with live(tmp_path, registry=registry()) as here:
            photo = {"name": "bin.jpg", "media_type": "image/jpeg", "content_base64": b64encode(JPEG).decode()}
            crm.script.set(mode=Mode.COMMIT_THEN_DROP, at=At.ATTACH, times=1, seconds=None)
            taken = await here.publish(complaint() | {"council": "eastvale", "attachments": [photo]})
            await until(lambda: len(crm.ledger.items) == 2 and not crm.script.by_call)
            crm.script.set(mode=Mode.COMMIT_THEN_DROP, at=At.WRITE, times=1, seconds=None)
            await here.say(taken.reference, {"kind": "comment", "text": "It is still there."})
            await until(lambda: len(crm.ledger.items) == 3 and not crm.script.by_call)
            await here.at_rest(taken.id)
    rows = [(row["operation"], row["reference"]) for row in crm.ledger.items]
    assert rows == [("create", "CASE-000001"), ("attach", "CASE-000001"), ("update", "CASE-000001")]
    assert crm.ledger.items[2]["record"] == {"words": "It is still there.", "as": "first"}


async def test_an_earlier_generation_has_the_mapping_that_stood_in_its_own_file(tmp_path: Path) -> None:
    told = kept(tmp_path, crm="http://127.0.0.1:9")
    write(tmp_path / "mappings", "eastvale", FOLLOWED.format(**told, said="first"))
    async with live(tmp_path, registry=registry()) as here:
        here.write("eastvale", FOLLOWED.format(**told, said="second"))
        past = Past(here.hub.core.store, registry=registry())
        made = [past(number, "eastvale").routes[0].record("update", {"update": {}}) for number in (1, 2)]
    assert made == [{"words": "", "as": "first"}, {"words": "", "as": "second"}]

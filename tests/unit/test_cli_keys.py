"""Keys of front ends and tokens of staff: printed once, listed without, audited."""

from __future__ import annotations

from hub.cli.store import opened
from hub.store import audit, credentials, front_ends, users
from hub.store.front_ends import key_hash
from hub.store.users import token_hash
from tests.terminal import Terminal

REACH = ("--councils", "northborough,southmere", "--services", "*")


def test_a_key_opens_what_it_was_made_for(hub: Terminal) -> None:
    made = hub("front-ends", "add", "website", *REACH, "--json").json()
    with opened() as core:
        found = core.store.read_now(lambda c: front_ends.find_by_key(c, key_hash(core.store.hasher, made["key"])))
    assert found is not None
    assert (found.councils, found.services) == (frozenset({"northborough", "southmere"}), None)
    assert made == {"name": "website", "key": made["key"], "prefix": made["key"][:8]}


def test_a_key_that_a_front_end_has_already_can_be_registered(hub: Terminal) -> None:
    assert hub("front-ends", "add", "website", *REACH, "--key", "k" * 20).out.strip() == "k" * 20


def test_a_short_key_is_refused(hub: Terminal) -> None:
    said = hub("front-ends", "add", "website", *REACH, "--key", "k" * 19)
    assert said.status == 1
    assert "20 characters" in said.err


def test_a_list_shows_how_a_key_begins_and_no_more(hub: Terminal) -> None:
    key = hub("front-ends", "add", "website", *REACH, "--json").json()["key"]
    said = hub("front-ends", "list", "--json")
    assert said.json()["items"][0]["prefix"] == key[:8]
    assert key not in said.out
    assert said.json()["next"] is None


def test_a_name_is_given_once(hub: Terminal) -> None:
    hub("front-ends", "add", "website", *REACH)
    said = hub("front-ends", "add", "website", *REACH)
    assert said.status == 1
    assert "hub front-ends rotate website" in said.err


def test_a_rotated_key_ends_the_old_one(hub: Terminal) -> None:
    old = hub("front-ends", "add", "website", *REACH, "--json").json()["key"]
    new = hub("front-ends", "rotate", "website", "--json").json()["key"]
    with opened() as core:
        hasher = core.store.hasher
        assert core.store.read_now(lambda c: front_ends.find_by_key(c, key_hash(hasher, old))) is None
        assert core.store.read_now(lambda c: front_ends.find_by_key(c, key_hash(hasher, new))) is not None


def test_a_revoked_key_opens_nothing(hub: Terminal) -> None:
    key = hub("front-ends", "add", "website", *REACH, "--json").json()["key"]
    assert hub("front-ends", "revoke", "website").status == 0
    with opened() as core:
        assert core.store.read_now(lambda c: front_ends.find_by_key(c, key_hash(core.store.hasher, key))) is None


def test_whom_nobody_knows_cannot_be_revoked(hub: Terminal) -> None:
    assert hub("front-ends", "revoke", "nobody").status == 1
    assert hub("users", "disable", "nobody").status == 1


def test_a_token_carries_its_role_until_it_is_disabled(hub: Terminal) -> None:
    token = hub("users", "add", "anna", "--role", "operator", "--councils", "northborough", "--json").json()["token"]
    with opened() as core:
        hashed = token_hash(core.store.hasher, token)
        found = core.store.read_now(lambda c: users.find_by_token(c, hashed))
        assert found is not None and (found.role, found.councils) == ("operator", frozenset({"northborough"}))
    hub("users", "disable", "anna")
    with opened() as core:
        assert core.store.read_now(lambda c: users.find_by_token(c, hashed)) is None


def test_who_made_a_key_is_in_the_audit(hub: Terminal) -> None:
    hub("front-ends", "add", "website", *REACH)
    with opened() as core:
        act = core.store.read_now(lambda c: audit.page(c)).items[0]
    assert (act.verb, act.subject) == ("front_end_added", "website")
    assert act.actor.startswith("local:")


def test_keys_that_are_made_are_long(hub: Terminal) -> None:
    key = hub("front-ends", "add", "website", *REACH).out.strip()
    assert len(key) > 2 * credentials.SHORTEST

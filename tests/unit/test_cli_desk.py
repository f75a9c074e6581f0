"""The verbs of ops staff: on the store of this machine, or at a hub that answers."""

from __future__ import annotations

import pytest

from hub.cli.store import opened
from hub.store import audit
from tests.terminal import COUNCIL, Terminal


@pytest.fixture
def testville(hub: Terminal) -> Terminal:
    """A store with the destination testville/cases."""
    hub.write("mappings/testville/council.yaml", COUNCIL)
    with opened() as core:
        core.councils.adopt(hub.folder / "mappings", by="test")
    return hub


@pytest.mark.parametrize("noun", ["submissions", "received", "deliveries", "destinations", "front-ends", "users"])
def test_an_empty_list_is_a_list(hub: Terminal, noun: str) -> None:
    assert hub(noun, "list", "--json").json() == {"items": [], "next": None}
    assert hub(noun, "list").out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("submissions", "show", "ABCD-EFGH"),
        ("deliveries", "show", "ABCD-EFGH"),
        ("deliveries", "replay", "ABCD-EFGH"),
        ("received", "show", "ABCD-EFGH"),
        ("destinations", "resume", "nowhere/waste"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(hub: Terminal, arguments: tuple[str, ...]) -> None:
    said = hub(*arguments)
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("hub: ") and said.err.count("\n") == 1


def test_a_filter_that_cannot_be_is_refused(hub: Terminal) -> None:
    said = hub("deliveries", "list", "--state", "lost")
    assert (said.status, said.out) == (2, "")
    assert "there is no state lost" in said.err and "unclear" in said.err


def test_a_replay_of_none_is_no_failure(hub: Terminal) -> None:
    assert hub("deliveries", "replay", "--council", "testville", "--json").json() == {"items": [], "next": None}


def test_a_destination_is_paused_by_name_and_asked_again(testville: Terminal) -> None:
    paused = testville("destinations", "pause", "testville/cases", "--reason", "their upgrade", "--json").json()
    assert paused["paused"]["reason"] == "their upgrade"
    assert paused["paused"]["by"].startswith("local:")
    assert testville("destinations", "resume", "testville/cases", "--json").json()["paused"] is None


def test_a_verb_on_the_store_is_audited_as_the_local_admin(testville: Terminal) -> None:
    testville("destinations", "pause", "testville/cases", "--reason", "their upgrade")
    with opened() as core:
        act = core.store.read_now(lambda c: audit.page(c)).items[0]
    assert (act.verb, act.subject, act.reason) == ("pause", "testville/cases", "their upgrade")
    assert act.actor.startswith("local:")


def test_a_hub_that_does_not_answer_is_named(hub: Terminal) -> None:
    said = hub("deliveries", "list", "--url", "http://127.0.0.1:9", "--key", "k")
    assert (said.status, said.out) == (1, "")
    assert "http://127.0.0.1:9" in said.err and said.err.count("\n") == 1


def test_a_hub_elsewhere_needs_a_key(hub: Terminal) -> None:
    said = hub("deliveries", "list", "--url", "http://127.0.0.1:9")
    assert said.status == 1
    assert "HUB_KEY" in said.err

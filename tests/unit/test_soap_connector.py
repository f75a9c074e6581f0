"""A SOAP system declared in a council file: how it is spoken to, and what its answers and faults mean."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from connectors.soap import SoapConnector
from connectors.soap.simulator import EastvaleBackOffice
from hub.connector import (
    Attachment,
    DeliveryFailure,
    Http,
    Misconfigured,
    Receipt,
    Refused,
    ReplaySafety,
    StepKind,
    Unavailable,
    Unclear,
    http_evidence,
)
from hub.connector.testing import Call, Mode, Reply
from hub.connector.testing.trial import photo
from tests.offices import delivery, misbehave
from tests.peers import a_delivery, answer, peer
from tests.soaps import (
    FAULTS,
    LEAST,
    REJECTS,
    RESULT,
    RULES,
    SEARCHED,
    connected,
    connector,
    fault,
    record,
    result,
    settings,
)


class Counting(EastvaleBackOffice):
    """Counts sign-ins."""

    sign_ins = 0

    def _sign_in(self, call: Call, asked: Any) -> Reply:
        self.sign_ins += 1
        return super()._sign_in(call, asked)


async def test_a_token_is_kept_and_twenty_at_once_share_one_sign_in() -> None:
    office = Counting()
    async with connected(REJECTS, office) as made:
        numbered = [f"ABCD-EF{n:02}" for n in range(20)]
        await asyncio.gather(*(made.create(record(Reference=one), delivery("create")) for one in numbered))
    assert (office.sign_ins, len(office.ledger.items)) == (1, 20)


async def test_an_expired_session_is_renewed_and_the_case_made_once() -> None:
    office, step = Counting(), delivery("create")
    async with connected(REJECTS, office) as made:
        await made.create(record(Reference="AAAA-AAAA"), delivery("create"))
        misbehave(office, Mode.EXPIRED_SESSION)
        await made.create(record(), step)
    assert (office.sign_ins, len(office.ledger.items), step.writes) == (2, 2, 1)


async def test_a_session_that_never_lives_is_suspect_and_not_renewed_for_ever() -> None:
    office = Counting()
    async with connected(REJECTS, office) as made:
        misbehave(office, Mode.EXPIRED_SESSION, times=9)
        with pytest.raises(Misconfigured) as raised:
            await made.create(record(), delivery("create"))
    assert (raised.value.suspect, raised.value.code, office.sign_ins) == (True, "fault_Client", 2)


async def test_a_wrong_password_is_ours_to_mend_and_check_says_so() -> None:
    office = EastvaleBackOffice()
    office.option["password"] = "another"
    async with connected(REJECTS, office) as made:
        with pytest.raises(Misconfigured):
            await made.create(record(), delivery("create"))
        assert not (await made.check()).ok


@pytest.mark.parametrize("digest", [True, False])
async def test_ws_security_proves_the_password_in_clear_or_by_its_digest(*, digest: bool) -> None:
    office = EastvaleBackOffice()
    office.option["password"] = "conformance-password"
    stated = settings(SEARCHED, security__username_token__digest=digest)
    async with connected(stated, office) as made:
        assert (await made.check()).ok
        office.option["password"] = "another"
        assert not (await made.check()).ok


async def test_no_password_and_no_token_stand_in_the_evidence() -> None:
    async with connected(REJECTS, EastvaleBackOffice()) as made:
        with http_evidence() as log:
            await made.create(record(), delivery("create"))
    said = repr(log)
    assert len(log) == 1 and "conformance-password" not in said and "ses-0" not in said


async def test_a_repeat_is_the_case_that_is_there() -> None:
    office = EastvaleBackOffice()
    async with connected(REJECTS, office) as made:
        first = await made.create(record(), delivery("create"))
        again = await made.create(record(), delivery("create"))
    assert first == again and len(office.ledger.items) == 1


async def test_a_repeat_that_names_no_case_is_looked_up() -> None:
    rule = {"at": f"{RESULT}/Code", "values": {0: "ok", 17: "duplicate"}}
    async with connected(settings(REJECTS, create__outcomes=[rule]), EastvaleBackOffice()) as made:
        first = await made.create(record(), delivery("create"))
        assert await made.create(record(), delivery("create")) == first


async def test_a_case_that_need_not_be_ours_is_joined() -> None:
    rule = {**REJECTS["create"]["outcomes"][0], "joined": True}
    stated = settings(REJECTS, create__outcomes=[rule])
    assert SoapConnector.configured(stated).operations["create"].replay_safety is ReplaySafety.LOOKUP
    async with connected(stated, EastvaleBackOffice()) as made:
        await made.create(record(), delivery("create"))
        assert (await made.create(record(), delivery("create"))).joined


async def test_a_look_finds_exactly_ours() -> None:
    async with connected(SEARCHED, EastvaleBackOffice(), at="/twice/x") as made:
        receipts = [
            await made.create(record(Reference=one), delivery("create")) for one in ("ABCD-EFGH", "ABCD-EFGH-1")
        ]
        assert await made.find("ABCD-EFGH") == receipts[0]
        assert await made.find("ABCD-EFG") is None


async def test_a_fault_may_say_that_there_is_none() -> None:
    stated = settings(SEARCHED, port=None, lookup__none=[{"code": "Client", "text": "Not found"}])
    http = Http(timeout=timedelta(seconds=2))
    async with peer(answer(500, fault("s:Client", "Not found"))) as office:
        assert await connector(stated, http, address=office.url).find("ABCD-EFGH") is None
    async with peer(answer(500, fault("s:Server", "Not found"))) as office:
        with pytest.raises(Unavailable):
            await connector(stated, http, address=office.url).find("ABCD-EFGH")
    await http.close()


async def test_a_look_that_is_answered_by_another_fault_never_says_that_there_is_none() -> None:
    told = [{"code": "Server", "means": "duplicate"}, {"code": "Client", "means": "refused"}]
    http = Http(timeout=timedelta(seconds=2))
    for code, kind in (("s:Server", Unavailable), ("s:Client", Refused), ("s:Other", Unavailable)):
        async with peer(answer(500, fault(code))) as office:
            with pytest.raises(kind):
                await connector(settings(SEARCHED, port=None, faults=told), http, address=office.url).find("ABCD-EFGH")
    await http.close()


async def test_a_note_a_withdrawal_and_a_file_go_to_the_case() -> None:
    office = EastvaleBackOffice()
    async with connected(REJECTS, office) as made:
        case = await made.create(record(), delivery("create"))
        await made.update(record("update"), case, delivery("update", kind=StepKind.UPDATE))
        await made.cancel(record("cancel"), case, delivery("cancel", kind=StepKind.CANCEL))
        await made.attach(photo(), case, delivery("attach", kind=StepKind.ATTACH))
    assert [row["operation"] for row in office.ledger.items] == [
        "SubmitRequest",
        "AddNote",
        "CancelRequest",
        "AttachDocument",
    ]
    assert {row["reference"] for row in office.ledger.items} == {case.reference}
    file = office.ledger.items[-1]["record"]["AttachDocument"]
    assert file == {"FileName": "ABCD-EFGH.jpg", "MediaType": "image/jpeg", "bytes": 21_000}


async def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    def chunks() -> Any:
        raise AssertionError

    async with connected(settings(REJECTS, attach__largest=10), EastvaleBackOffice()) as made:
        file = Attachment(name="x.jpg", media_type="image/jpeg", size=11, chunks=chunks)
        with pytest.raises(Refused) as raised:
            await made.attach(file, Receipt(reference="EV1"), delivery("attach", kind=StepKind.ATTACH))
    assert raised.value.code == "soap_too_large"


async def test_what_does_not_fit_is_refused_by_its_name_before_anything_is_marked_or_sent() -> None:
    office, step = EastvaleBackOffice(), delivery("create")
    async with connected(LEAST, office) as made:
        with pytest.raises(Refused) as raised:
            await made.create(record(Items=[{"Code": "Jo Resident"}]), step)
    assert (raised.value.code, step.writes, office.ledger.items) == ("unsendable", 0, [])
    assert "`Request/Items/Item/Code` must be a whole number" in str(raised.value) and "Jo" not in str(raised.value)


# What an answer means


async def _outcome(reply: bytes, *, status: int = 200, **changes: Any) -> Receipt | DeliveryFailure:
    stated = settings(LEAST, **{"create__outcomes": RULES, "faults": FAULTS, **changes})
    http = Http(timeout=timedelta(seconds=2))
    async with peer(answer(status, reply, Content_Type="text/xml")) as office:
        try:
            made: Receipt = await connector(stated, http, address=office.url).create(record(), a_delivery())
        except DeliveryFailure as failure:
            return failure
        finally:
            await http.close()
    return made


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (result("1"), Refused, "soap_1"),
        (result("8"), Unavailable, "soap_8"),
        (result("0", "Try later"), Unavailable, "soap_listed"),
        (result("0", "Unknown key"), Misconfigured, "soap_listed"),
        (result("3"), Unclear, "soap_3"),
        (result(""), Unclear, "not_wsdl"),
        (result("0", number=None), Unclear, "soap_no_reference"),
        (result("0", number=" "), Unclear, "soap_no_reference"),
    ],
)
async def test_an_answer_means_what_its_values_say(reply: bytes, kind: type[DeliveryFailure], code: str) -> None:
    failure = await _outcome(reply)
    assert isinstance(failure, kind) and failure.code == code
    assert "Jo" not in str(failure)


async def test_the_products_own_words_are_reasons() -> None:
    failure = await _outcome(result("1", "No such street"))
    assert isinstance(failure, Refused) and failure.reasons == ("No such street",)


async def test_a_value_that_nobody_foresaw_is_not_quoted_in_a_code() -> None:
    rules = [{"at": f"{RESULT}/Message", "values": {"Taken": "ok"}, "otherwise": "refused"}]
    failure = await _outcome(result("0", "Jo Resident"), create__outcomes=rules)
    assert isinstance(failure, Refused) and (failure.code, failure.reasons) == ("soap_unlisted", ("Jo Resident",))


async def test_a_value_that_is_not_there_may_mean_something_of_its_own() -> None:
    rules = [{"at": f"{RESULT}/Code", "values": {0: "ok"}, "absent": "refused"}]
    failure = await _outcome(result(""), create__outcomes=rules, strict=False)
    assert isinstance(failure, Refused) and failure.code == "soap_absent"


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (fault("s:Client"), Refused, "fault_Client"),
        (fault("s:Client.Other"), Refused, "fault_Client"),
        (fault("s:Client.Key"), Misconfigured, "fault_Client.Key"),
        (fault("s:Client", "Closed for the night"), Unavailable, "fault_Client"),
        (fault("s:Server"), Unclear, "fault_Server"),
        (fault("Jo"), Unclear, "fault_unknown"),
        (fault("s:Server", "Duplicate"), Unclear, "soap_no_reference"),
    ],
)
async def test_a_fault_means_what_the_table_says(
    reply: bytes, kind: type[DeliveryFailure], code: str, status: int
) -> None:
    failure = await _outcome(reply, status=status)
    assert isinstance(failure, kind) and failure.code == code
    assert "Jo" not in str(failure)


async def test_a_fault_may_name_the_case_that_is_there() -> None:
    reply = fault("s:Server", "Duplicate", '<There xmlns="urn:x"><Number>EV9</Number></There>')
    assert await _outcome(reply, status=500) == Receipt(reference="EV9")

"""Products that no test of ours made: settings for reconstructed WSDLs, the envelopes they give, and answers read."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.soap import SoapConnector
from hub.connector import DeliveryFailure, Http, Receipt, Refused, ReplaySafety, StepKind, Unclear
from hub.connector.testing import read_xml
from tests.peers import Line, a_delivery, answer, peer

WSDLS = Path(__file__).parents[3] / "shared" / "wsdl"
pytestmark = pytest.mark.skipif(
    not WSDLS.is_dir(), reason="the reconstructed WSDLs are not beside the checkout (../shared/wsdl)"
)
SOAP = {"soap": "http://schemas.xmlsoap.org/soap/envelope/", "soap12": "http://www.w3.org/2003/05/soap-envelope"}


@dataclass
class Product:
    """What a council would write down of it, a record, and an answer as its clients have seen one."""

    wsdl: str
    settings: dict[str, Any]
    record: dict[str, Any]
    reply: str  #: the body of its answer
    reference: str
    paths: dict[str, str]  #: what must stand where in the envelope
    soap: str = "soap"
    before: list[str] = field(default_factory=list)  #: bodies of the answers before it (a sign-in)


SYMOLOGY = Product(
    wsdl="symology.wsdl",
    settings={
        "arguments": {"Username": "hub", "Password": "env:PASSWORD"},
        "create": {
            "operation": "SendRequestAdditionalGroupAuthenticated",
            "arguments": {"ProcessID": None},
            "reference": "SendRequestAdditionalGroupAuthenticatedResult/SendRequestResults"
            "/SendRequestResultRow[RecordType=2]/ConvertCRNo",
            "outcomes": [
                {
                    # A created row wins whatever the status says: a case exists.
                    "at": "SendRequestAdditionalGroupAuthenticatedResult/SendRequestResults"
                    "/SendRequestResultRow[RecordType=2]/RecordType",
                    "values": {"2": "ok"},
                    "absent": "refused",
                    "words": "SendRequestAdditionalGroupAuthenticatedResult/SendRequestResults"
                    "/SendRequestResultRow/MessageText",
                }
            ],
        },
    },
    record={
        "Request": {
            "NSGRef": "123/4567",
            "UserName": "hub",
            "ExternalRef": "ABCD-EFGH",
            "Easting": 100,
            "NextNotify": 0,
        },
        "Customer": {"CustomerFullName": "Jo", "CustomerType": "PB"},
        "AdditionalFields": [{"FieldLine": 17, "ValueType": 8, "DataValue": "x"}],
    },
    reply='<SendRequestAdditionalGroupAuthenticatedResponse xmlns="http://www.symology.co.uk/services">'
    "<SendRequestAdditionalGroupAuthenticatedResult><StatusCode>1</StatusCode><SendRequestResults>"
    "<SendRequestResultRow><RecordType>1</RecordType><MessageText>Note</MessageText></SendRequestResultRow>"
    "<SendRequestResultRow><RecordType>2</RecordType><ConvertCRNo>1001</ConvertCRNo></SendRequestResultRow>"
    "</SendRequestResults></SendRequestAdditionalGroupAuthenticatedResult>"
    "</SendRequestAdditionalGroupAuthenticatedResponse>",
    reference="1001",
    paths={
        "Username": "hub",
        "ProcessID/@nil": "true",
        "Request/Easting": "100",
        "AdditionalFields/AdditionalFieldSend/FieldLine": "17",
    },
)
ECHO_HEADER = {"wsa:Action": "http://www.twistedfish.com/xmlns/echo/api/v1/Service/{operation}"}
ECHO = Product(
    wsdl="echo.wsdl",
    soap="soap12",
    settings={
        "namespaces": {"wsa": "http://www.w3.org/2005/08/addressing"},
        "security": {"username_token": {"username": "hub", "password": "x", "must_understand": "bare", "prefix": None}},
        "headers": ECHO_HEADER,
        "create": {"operation": "PostEvent", "reference": "PostEventResult/EventGuid"},
        "update": {
            "operation": "PerformEventAction",
            "arguments": {"action": {"EventRef": {"Key": "Guid", "Type": "Event", "Value": ["{reference}"]}}},
        },
        "faults": [{"code": "Sender", "text": "Invalid ActionType specified", "means": "refused"}],
    },
    record={
        "event": {
            "ServiceId": 547,
            "EventTypeId": 2104,
            "ClientReference": "ABCD-EFGH",
            "Data": [{"DatatypeId": 1004, "Value": None, "ChildData": [{"DatatypeId": 1005, "Value": "2"}]}],
            "EventObjects": [
                {
                    "EventObjectType": "Source",
                    "ObjectRef": {"Key": "Uprn", "Type": "PointAddress", "Value": ["1000001"]},
                    "Location": {"Latitude": 51, "Longitude": -1.5},
                }
            ],
        }
    },
    reply='<PostEventResponse xmlns="http://www.twistedfish.com/xmlns/echo/api/v1"><PostEventResult>'
    "<EventGuid>0f8a</EventGuid></PostEventResult></PostEventResponse>",
    reference="0f8a",
    paths={
        "event/Data/ExtensibleDatum/ChildData/ExtensibleDatum/DatatypeId": "1005",
        "event/EventObjects/EventObject/ObjectRef/Value/anyType/@type": "string",
        "event/EventObjects/EventObject/Location/Longitude": "-1.5",
    },
)
CONFIRM = Product(
    wsdl="confirm.wsdl",
    settings={
        "arguments": {"Request": {"Authentication": {"Username": "hub", "Password": "env:P", "DatabaseId": "EV"}}},
        "create": {
            "operation": "ProcessOperations",
            "arguments": {"Request": {"Operation": {"NewEnquiry": {"EnquiryNumber": 1}}}},
            "reference": "Response/OperationResponse/NewEnquiryResponse/Enquiry/EnquiryNumber",
            "outcomes": [
                # A fault is a plain child here, on HTTP 200.
                {"at": "Response/Fault/Reason", "values": {}, "otherwise": "refused", "absent": "ok"}
            ],
        },
    },
    record={
        "Request": {
            "Operation": {
                "NewEnquiry": {
                    "EnquiryX": 100,
                    "EnquiryReference": "ABCD-EFGH",
                    "EnquiryAttribute": [{"EnqAttribTypeCode": "QU"}, {"EnqAttribTypeCode": "DE"}],
                    "EnquiryCustomer": {"CustomerSurname": "Resident"},
                }
            }
        }
    },
    reply='<t:ProcessOperationsResponse xmlns:t="http://www.confirm.co.uk/schema/am/connector/webservice"><Response>'
    "<OperationResponse><NewEnquiryResponse><Enquiry><EnquiryNumber>2001</EnquiryNumber></Enquiry></NewEnquiryResponse>"
    "</OperationResponse></Response></t:ProcessOperationsResponse>",
    reference="2001",
    paths={
        "Request/Authentication/DatabaseId": "EV",
        "Request/Operation/NewEnquiry/EnquiryNumber": "1",
        "Request/Operation/NewEnquiry/EnquiryAttribute[2]/EnqAttribTypeCode": "DE",
    },
)
BARTEC_NS = "http://bartec-systems.com/"
BARTEC_TYPES = "http://www.bartec-systems.com"
BARTEC_ERRORS = {
    "at": "ServiceRequest_CreateResult/Errors/Message",
    "values": {"Invalid Token": "expired"},
    "otherwise": "ok",
}
BARTEC = Product(
    wsdl="bartec-collective.wsdl",
    settings={
        "namespaces": {"sr": "http://www.bartec-systems.com/ServiceRequest_Create.xsd"},
        "arguments": {"token": "{token}"},
        "sign_in": {
            "wsdl": str(WSDLS / "bartec-auth.wsdl"),
            "operation": "Authenticate",
            "arguments": {"user": "hub", "password": "env:PASSWORD"},
            "token_at": "AuthenticateResult/Token/TokenString",
            "outcomes": [
                {"at": "AuthenticateResult/Errors/Error/Result", "values": {"1": "misconfigured"}, "absent": "ok"}
            ],
        },
        "create": {
            "operation": "ServiceRequest_Create",
            "reference": "ServiceRequest_CreateResult/ServiceCode",
            "outcomes": [
                BARTEC_ERRORS,
                {
                    "at": "ServiceRequest_CreateResult/Errors/Result",
                    "values": {"0": "ok"},
                    "otherwise": "refused",
                    "words": "ServiceRequest_CreateResult/Errors/Message",
                },
            ],
        },
    },
    record={
        "UPRN": "987654321",
        "ServiceTypeID": 4,
        "DateRequested": "2026-06-17 17:28:30+01:00",
        "ServiceRequest_Location": {"Metric": {"Latitude": 52.54093, "Longitude": -0.289832}},
        "ExternalReference": "ABCD-EFGH",
        "reporterContact": {"sr:Forename": "Bob", "sr:Surname": "Mould"},
        "extendedData": [{"sr:FieldName": "RubbishType", "sr:FieldValue": "Food"}],
    },
    before=[
        (
            f'<AuthenticateResponse xmlns="{BARTEC_NS}"><AuthenticateResult xmlns="{BARTEC_TYPES}">'
            "<Token><TokenString>ABC=</TokenString></Token><Errors/></AuthenticateResult></AuthenticateResponse>"
        )
    ],
    reply=f'<ServiceRequest_CreateResponse xmlns="{BARTEC_NS}"><ServiceRequest_CreateResult RecordCount="1"'
    ' xmlns="http://www.bartec-systems.com/ServiceRequest_Create.xsd"><ServiceCode>0001</ServiceCode>'
    f'<Errors xmlns="{BARTEC_TYPES}"><Result>0</Result><Message/></Errors>'
    "</ServiceRequest_CreateResult></ServiceRequest_CreateResponse>",
    reference="0001",
    paths={
        "token": "ABC=",
        "DateRequested": "2026-06-17T17:28:30+01:00",
        "ServiceRequest_Location/Metric/Longitude": "-0.289832",
        "reporterContact/Forename": "Bob",
        "extendedData/ServiceRequest_CreateServiceRequest_CreateFields/FieldValue": "Food",
    },
)
VERINT = Product(
    wsdl="verint-dforms.wsdl",
    settings={
        "security": {"basic": {"username": "hub", "password": "x"}},
        "create": {
            "operation": "Create",
            "arguments": {"complete": "Y"},
            "reference": "ref",
            "outcomes": [{"at": "status", "values": {"success": "ok"}, "otherwise": "refused"}],
        },
        "attach": {
            "operation": "AttachFile",
            "arguments": {"ref": "{reference}", "filename": "{name}", "file": "{base64}", "mimetype": "{media_type}"},
            "outcomes": [{"at": "status", "values": {"success": "ok"}}],
        },
    },
    record={"name": "lle_abandoned", "data": {"form-data": [{"name": "txta_problem", "value": "a & b"}]}},
    reply='<CreateResponse xmlns="http://kana.com/dforms"><status>success</status><ref>12345</ref></CreateResponse>',
    reference="12345",
    paths={"data/form-data/field/value": "a & b", "complete": "Y"},
)
WHITESPACE = Product(
    wsdl="whitespace.wsdl",
    settings={
        "soap_action": "bare",
        "security": {"username_token": {"username": "hub", "password": "x", "must_understand": "bare", "prefix": None}},
        "create": {
            "operation": "CreateWorksheet",
            "reference": "CreateWorksheetResult/WorksheetResponse/anyType",
            "outcomes": [
                {
                    "at": "CreateWorksheetResult/ErrorCode",
                    "values": {"0": "ok"},
                    "otherwise": "refused",
                    "words": "CreateWorksheetResult/ErrorDescription",
                }
            ],
        },
    },
    record={
        "worksheetInput": {
            "Uprn": "1000001",
            "ServiceId": 289,
            "WorksheetReference": "ABCD-EFGH",
            "ServiceItemInputs": [{"ServiceItemId": 22, "ServiceItemName": "", "ServiceItemQuantity": 1}],
        }
    },
    reply='<CreateWorksheetResponse xmlns="http://webservices.whitespacews.com/"><CreateWorksheetResult>'
    "<ErrorCode>0</ErrorCode><ErrorDescription>Success</ErrorDescription><WorksheetResponse>"
    "<anyType>242259</anyType><anyType/></WorksheetResponse></CreateWorksheetResult></CreateWorksheetResponse>",
    reference="242259",
    paths={
        "worksheetInput/Uprn": "1000001",
        "worksheetInput/ServiceItemInputs/Input.CreateWorksheetInput.ServiceItemInput/ServiceItemId": "22",
    },
)
PRODUCTS = {
    "symology": SYMOLOGY,
    "echo": ECHO,
    "confirm": CONFIRM,
    "bartec": BARTEC,
    "verint": VERINT,
    "whitespace": WHITESPACE,
}


@pytest.fixture(params=PRODUCTS.values(), ids=PRODUCTS)
def product(request: pytest.FixtureRequest) -> Product:
    found: Product = request.param
    return found


def stated(product: Product, address: str) -> dict[str, Any]:
    return {"wsdl": str(WSDLS / product.wsdl), "address": address, **copy.deepcopy(product.settings)}


async def spoken(product: Product, *replies: str) -> tuple[Receipt | DeliveryFailure, list[etree._Element]]:
    """What comes of one create, and the elements below the body of each request."""
    bodies = list(replies)

    async def manner(line: Line) -> None:
        while await line.hear():
            text = bodies.pop(0) if len(bodies) > 1 else bodies[0]
            soap = SOAP[product.soap]
            envelope = f'<s:Envelope xmlns:s="{soap}"><s:Body>{text}</s:Body></s:Envelope>'
            await line.say(answer(200, envelope.encode(), Content_Type="text/xml"))

    http = Http(timeout=timedelta(seconds=5))
    async with peer(manner) as office:
        settings = stated(product, office.url)
        kind: Any = SoapConnector.configured(settings)
        made = kind(kind.Settings.model_validate(settings), http)
        record = kind.operations["create"].record.model_validate(product.record)
        outcome: Receipt | DeliveryFailure
        try:
            outcome = await made.create(record, a_delivery())
        except DeliveryFailure as failure:
            outcome = failure
        await http.close()
    envelopes = [read_xml(one.partition(b"\r\n\r\n")[2]) for one in office.heard]
    return outcome, [envelope.find(f"{{{SOAP[product.soap]}}}Body")[0] for envelope in envelopes]  # type: ignore[index]


def at(element: etree._Element, path: str) -> str | None:
    """The text at a path of local names; `[2]` counts, `@x` is an attribute without its namespace."""
    for step in path.split("/"):
        if step.startswith("@"):
            values = [value for key, value in element.attrib.items() if etree.QName(key).localname == step[1:]]
            return str(values[0]).rpartition(":")[2] if values else None
        name, _, number = step.rstrip("]").partition("[")
        found = [child for child in element if etree.QName(child).localname == name]
        element = found[int(number or 1) - 1]
    return element.text


async def test_a_plain_record_becomes_the_products_own_envelope_and_its_answer_a_receipt(product: Product) -> None:
    outcome, sent = await spoken(product, *product.before, product.reply)
    assert outcome == Receipt(reference=product.reference)
    assert {path: at(sent[-1], path) for path in product.paths} == product.paths


def test_its_settings_go_with_its_wsdl_and_promise_nothing_of_repeats(product: Product) -> None:
    kind = SoapConnector.configured(stated(product, "https://product.example"))
    assert kind.operations["create"].replay_safety is ReplaySafety.UNSAFE


async def test_symology_refuses_in_a_row_of_another_kind() -> None:
    refusal = SYMOLOGY.reply.replace("<RecordType>2</RecordType>", "<RecordType>1</RecordType>")
    outcome, _ = await spoken(SYMOLOGY, refusal)
    assert isinstance(outcome, Refused) and outcome.reasons == ("Note",)


async def test_confirm_refuses_in_a_plain_child() -> None:
    name = "ProcessOperationsResponse"
    reply = f"<Response><Fault><Reason>Logged Date must be greater</Reason></Fault></Response></t:{name}>"
    outcome, _ = await spoken(CONFIRM, CONFIRM.reply.partition("<Response>")[0] + reply)
    assert isinstance(outcome, Refused) and outcome.code == "soap_unlisted"


async def test_bartec_ends_a_token_in_words_and_gets_another_one() -> None:
    expired = BARTEC.reply.replace("<Result>0</Result><Message/>", "<Result>1</Result><Message>Invalid Token</Message>")
    outcome, sent = await spoken(
        BARTEC, *BARTEC.before, expired, BARTEC.before[0].replace("ABC=", "DEF="), BARTEC.reply
    )
    assert outcome == Receipt(reference="0001")
    assert [at(element, "token") for element in (sent[1], sent[3])] == ["ABC=", "DEF="]


async def test_an_answer_of_verint_without_its_number_is_unclear() -> None:
    outcome, _ = await spoken(VERINT, VERINT.reply.replace("<ref>12345</ref>", ""))
    assert isinstance(outcome, Unclear) and outcome.code == "soap_no_reference"


async def test_an_update_of_echo_names_the_event_and_carries_its_headers() -> None:
    reply = '<PerformEventActionResponse xmlns="http://www.twistedfish.com/xmlns/echo/api/v1"/>'
    envelope = f'<s:Envelope xmlns:s="{SOAP["soap12"]}"><s:Body>{reply}</s:Body></s:Envelope>'
    http = Http(timeout=timedelta(seconds=5))
    async with peer(answer(200, envelope.encode())) as office:
        settings = stated(ECHO, office.url)
        kind: Any = SoapConnector.configured(settings)
        made = kind(kind.Settings.model_validate(settings), http)
        record = kind.operations["update"].record.model_validate(
            {"action": {"ActionTypeId": 3, "Data": [{"DatatypeId": 1, "Value": "The gate was open"}]}}
        )
        await made.update(record, Receipt(reference="0f8a"), a_delivery(StepKind.UPDATE))
        await http.close()
    root = read_xml(office.heard[0].partition(b"\r\n\r\n")[2])
    assert at(root[1][0], "action/EventRef/Value/anyType") == "0f8a"
    assert root[0].findtext("{http://www.w3.org/2005/08/addressing}Action", "").endswith("/Service/PerformEventAction")
    assert root[0].find("{*}Security") is not None

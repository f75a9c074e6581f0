"""Plain trees written as a WSDL has them: held against its own schema, and refused by the element's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.soap import samples
from hub.connector import Later, Misconfigured, Wsdl
from hub.connector import wsdl as wsdls

XS = "{http://www.w3.org/2001/XMLSchema}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
EXAMPLE = Path(samples.SETTINGS[0]["wsdl"])

WSDL = """<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:t="urn:odd" targetNamespace="urn:odd" xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <types><xs:schema targetNamespace="urn:odd" elementFormDefault="qualified">{types}
  <xs:element name="DoResponse"><xs:complexType><xs:sequence>
   <xs:element name="Number" type="xs:string"/><xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
  </xs:sequence></xs:complexType></xs:element>
 </xs:schema></types>
 <message name="In">{part}</message><message name="Out"><part name="p" element="t:DoResponse"/></message>
 <portType name="Port"><operation name="Do"><input message="t:In"/><output message="t:Out"/></operation></portType>
 <binding name="Odd" type="t:Port"><s:binding style="{style}" transport="http://schemas.xmlsoap.org/soap/http"/>
  <operation name="Do"><s:operation soapAction="urn:odd/Do"/>
   <input><s:body use="literal" namespace="urn:odd"/></input><output><s:body use="literal"/></output></operation>
 </binding>
 <service name="Service"><port name="P" binding="t:Odd"><s:address location="http://never.invalid/"/></port></service>
</definitions>"""
PART = '<part name="p" element="t:Do"/>'
NAMESPACES = {"o": "urn:odd", "x": "urn:other", "xs": "http://www.w3.org/2001/XMLSchema"}


def odd(folder: Path, inner: str, *, types: str = "", style: str = "document", part: str = PART) -> Path:
    """A WSDL whose one operation takes this content."""
    element = f'<xs:element name="Do"><xs:complexType>{inner}</xs:complexType></xs:element>' if inner else ""
    path = folder / "odd.wsdl"
    path.write_text(WSDL.format(types=types + element, style=style, part=part))
    return path


def written(path: Path, tree: dict[str, Any], operation: str = "Do") -> etree._Element:
    """The element in the body."""
    spoken = wsdls.load(path, strict=True).get(operation)
    root, _ = wsdls.envelope(spoken, tree, headers={}, namespaces=NAMESPACES)
    return root[0][0]


def shown(element: etree._Element) -> str:
    """Names without namespaces, attributes in brackets: a(b=1 c[x=2])."""
    name = etree.QName(element).localname
    attributes = ",".join(f"{etree.QName(key).localname}={value}" for key, value in element.attrib.items())
    inner = " ".join(shown(child) for child in element)
    text = f"={element.text}" if element.text else ""
    return f"{name}{f'[{attributes}]' if attributes else ''}{text}{f'({inner})' if inner else ''}"


def refused(path: Path, tree: dict[str, Any], operation: str = "Do") -> str:
    refusal = Wsdl.read(path).refusal(operation, tree, namespaces=NAMESPACES)
    assert refusal is not None
    return refusal


SEQUENCE = """<xs:sequence><xs:element name="A" type="xs:int"/><xs:element name="B" type="xs:string" minOccurs="0"/>
<xs:element name="N" type="xs:string" nillable="true"/><xs:element name="D" type="xs:string" default="web"/>
<xs:element name="Many" type="xs:date" minOccurs="0" maxOccurs="2"/></xs:sequence>"""


@pytest.fixture
def schema(tmp_path: Path) -> etree.XMLSchema:
    """The example's own schemas, for a judge that is not ours."""
    types, ours = etree.parse(EXAMPLE).getroot().iter(f"{XS}schema")
    (tmp_path / "types.xsd").write_bytes(etree.tostring(types))
    next(ours.iter(f"{XS}import")).set("schemaLocation", "types.xsd")
    (tmp_path / "ours.xsd").write_bytes(etree.tostring(ours))
    return etree.XMLSchema(etree.parse(tmp_path / "ours.xsd"))


@pytest.mark.parametrize("record", samples.CREATE)
def test_what_is_written_is_valid_by_the_schema_itself(schema: etree.XMLSchema, record: dict[str, Any]) -> None:
    schema.assertValid(etree.fromstring(etree.tostring(written(EXAMPLE, record, "SubmitRequest"))))


def test_bytes_become_base64_that_the_schema_takes(schema: etree.XMLSchema) -> None:
    tree = {"RequestNumber": "EV1", "FileName": "a.jpg", "MediaType": "image/jpeg", "Content": bytes(range(256))}
    schema.assertValid(etree.fromstring(etree.tostring(written(EXAMPLE, tree, "AttachDocument"))))


def test_a_sequence_is_in_the_order_of_the_schema_and_not_of_the_record(tmp_path: Path) -> None:
    tree = {"N": "n", "Many": ["2026-01-01", "2026-01-02"], "B": "b", "A": "1"}
    assert shown(written(odd(tmp_path, SEQUENCE), tree)) == "Do(A=1 B=b N=n D=web Many=2026-01-01 Many=2026-01-02)"


def test_null_is_nil_where_it_may_be_and_nothing_where_it_may_be_left_out(tmp_path: Path) -> None:
    assert shown(written(odd(tmp_path, SEQUENCE), {"A": 1, "B": None, "N": None})) == "Do(A=1 N[nil=true] D=web)"


def test_one_value_stands_for_a_list_of_one(tmp_path: Path) -> None:
    assert "Many=2026-01-01" in shown(written(odd(tmp_path, SEQUENCE), {"A": 1, "N": "", "Many": "2026-01-01"}))


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"N": "n"}, "`A` is missing"),
        ({"A": None, "N": "n"}, "`A` is missing"),
        ({"A": "one", "N": "n"}, "`A` must be a whole number from -2147483648 to 2147483647"),
        ({"A": 1, "N": "n", "Manny": []}, "`Manny` is unknown to the WSDL; do you mean `Many`?"),
        ({"A": 1, "N": "n", "zzz": 1}, "`zzz` is unknown to the WSDL; it knows A, B, D, Many, N"),
        ({"A": 1, "N": "n", "Many": ["2026-01-01"] * 3}, "`Many` stands at most 2 times"),
        ({"A": [1, 2], "N": "n"}, "`A` stands once, so it is no list"),
        ({"A": {"x": 1}, "N": "n"}, "`A` must be a plain value"),
        ({"A": 1, "N": "bell\x07"}, "`N` holds a character that XML cannot carry"),
        ({"A": 1, "N": "n", "@id": 1}, "`@id` is unknown to the WSDL; it knows A, B, D, Many, N"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(tmp_path: Path, tree: dict[str, Any], said: str) -> None:
    assert refused(odd(tmp_path, SEQUENCE), tree) == said


def test_a_value_that_is_known_only_later_fits_everywhere(tmp_path: Path) -> None:
    assert Wsdl.read(odd(tmp_path, SEQUENCE)).refusal("Do", {"A": Later, "N": Later, "Many": Later}) is None


CHOICE = """<xs:choice><xs:element name="A" type="xs:int"/><xs:sequence><xs:element name="B" type="xs:int"/>
<xs:element name="C" type="xs:int" minOccurs="0"/></xs:sequence></xs:choice>"""


@pytest.mark.parametrize(("tree", "text"), [({"A": 1}, "Do(A=1)"), ({"C": 3, "B": 2}, "Do(B=2 C=3)")])
def test_a_choice_takes_what_is_given(tmp_path: Path, tree: dict[str, Any], text: str) -> None:
    assert shown(written(odd(tmp_path, CHOICE), tree)) == text


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "the record needs one of A, B, C"),
        ({"A": 1, "B": 2}, "the record takes only one of A, B"),
        ({"C": 1}, "`B` is missing"),
    ],
)
def test_a_choice_takes_one(tmp_path: Path, tree: dict[str, Any], said: str) -> None:
    assert refused(odd(tmp_path, CHOICE), tree) == said


def test_a_choice_that_may_be_made_again_keeps_the_order_of_the_record(tmp_path: Path) -> None:
    repeated = CHOICE.replace("<xs:choice>", '<xs:choice maxOccurs="unbounded">')
    assert shown(written(odd(tmp_path, repeated), {"B": 1, "A": [2, 3]})) == "Do(B=1 A=2 A=3)"


def test_a_sequence_that_stands_several_times_takes_the_first_of_each_list_then_the_second(tmp_path: Path) -> None:
    pairs = """<xs:sequence maxOccurs="unbounded"><xs:element name="K" type="xs:string"/>
    <xs:element name="V" type="xs:string" minOccurs="0"/></xs:sequence>"""
    assert shown(written(odd(tmp_path, pairs), {"V": ["1", "2"], "K": ["a", "b"]})) == "Do(K=a V=1 K=b V=2)"


ARRAY = """<xs:sequence><xs:element name="Rows" minOccurs="0"><xs:complexType><xs:sequence>
<xs:element name="Row" maxOccurs="unbounded" minOccurs="0"><xs:complexType><xs:sequence>
<xs:element name="Tags"><xs:complexType><xs:sequence><xs:element name="Tag" type="xs:string" maxOccurs="unbounded"/>
</xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType>
</xs:element></xs:sequence>"""


@pytest.mark.parametrize(
    "tree",
    [
        {"Rows": [{"Tags": ["a", "b"]}, {"Tags": "c"}]},
        {"Rows": {"Row": [{"Tags": {"Tag": ["a", "b"]}}, {"Tags": {"Tag": "c"}}]}},
    ],
)
def test_a_list_may_stand_for_the_wrapper_of_an_array(tmp_path: Path, tree: dict[str, Any]) -> None:
    tree = {"Rows": tree["Rows"]}
    if isinstance(tree["Rows"], list):
        tree["Rows"][1]["Tags"] = ["c"]
    assert shown(written(odd(tmp_path, ARRAY), tree)) == "Do(Rows(Row(Tags(Tag=a Tag=b)) Row(Tags(Tag=c))))"


def test_an_empty_list_is_an_empty_wrapper_and_what_is_missing_is_named_with_its_path(tmp_path: Path) -> None:
    assert shown(written(odd(tmp_path, ARRAY), {"Rows": []})) == "Do(Rows)"
    assert refused(odd(tmp_path, ARRAY), {"Rows": [{}]}) == "`Rows/Row/Tags` is missing"
    assert refused(odd(tmp_path, ARRAY), {"Rows": [{"Tags": []}]}).startswith("`Rows/Row/Tags/Tag` is missing")
    assert refused(odd(tmp_path, ARRAY), {"Rows": [{"Tags": "c"}]}) == "`Rows/Row/Tags` must be a map of Tag"


ATTRIBUTES = """<xs:sequence><xs:element name="Price"><xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
<xs:attribute name="currency" type="xs:string" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
</xs:element></xs:sequence><xs:attribute name="urgent" type="xs:boolean"/><xs:anyAttribute/>"""


@pytest.mark.parametrize(
    "tree",
    [
        {"@urgent": True, "Price": {"@currency": "GBP", "#text": 1.5}},
        {"urgent": "true", "Price": {"currency": "GBP", "#text": "1.5"}},
    ],
)
def test_attributes_are_written_with_or_without_their_sign(tmp_path: Path, tree: dict[str, Any]) -> None:
    assert shown(written(odd(tmp_path, ATTRIBUTES), tree)) == "Do[urgent=true](Price[currency=GBP]=1.5)"


def test_attributes_are_held_to_their_types_and_may_be_ones_own_where_the_type_is_open(tmp_path: Path) -> None:
    path = odd(tmp_path, ATTRIBUTES)
    assert refused(path, {"Price": 1}) == "`Price/@currency` is missing"
    assert refused(path, {"@urgent": "soon", "Price": 1}) == "`@urgent` must be true or false"
    own = written(path, {"@x:source": "hub", "Price": {"@currency": "GBP", "#text": 1}})
    assert own.get("{urn:other}source") == "hub"


OPEN = """<xs:sequence><xs:element name="Known" type="xs:string" minOccurs="0"/>
<xs:element name="Value" minOccurs="0" nillable="true" maxOccurs="unbounded"/>
<xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/></xs:sequence>"""
GLOBAL = '<xs:element name="Score" type="xs:int"/>'


def test_what_the_schema_leaves_open_is_written_as_it_is_given(tmp_path: Path) -> None:
    tree = {"x:Name": {"@x:id": 1, "x:First": "Jo"}, "Known": "k", "x:Tag": ["a", "b"]}
    element = written(odd(tmp_path, OPEN), tree)
    assert shown(element) == "Do(Known=k Name[id=1](First=Jo) Tag=a Tag=b)"
    assert element[1].tag == "{urn:other}Name" and element[1][0].tag == "{urn:other}First"


def test_an_element_that_the_schema_knows_is_held_to_its_type_also_where_anything_goes(tmp_path: Path) -> None:
    path = odd(tmp_path, OPEN, types=GLOBAL)
    assert shown(written(path, {"o:Score": "7"})) == "Do(Score=7)"
    assert refused(path, {"o:Score": "high"}).startswith("`o:Score` must be a whole number")


def test_a_value_of_any_type_says_its_own(tmp_path: Path) -> None:
    element = written(odd(tmp_path, OPEN), {"Value": ["1", 2, 2**40, True, 1.5, None, {"x:A": 1}]})
    kinds = [child.get(f"{XSI}type", "").partition(":")[2] for child in element]
    assert kinds == ["string", "int", "long", "boolean", "decimal", "", ""]
    assert element[5].get(f"{XSI}nil") == "true" and shown(element[6]) == "Value(A=1)"


def test_a_value_of_any_type_may_be_told_its_type(tmp_path: Path) -> None:
    element = written(odd(tmp_path, OPEN), {"Value": {"@xsi:type": "xs:date", "#text": "2026-01-31"}})
    assert shown(element[0]) == "Value[type=xs:date]=2026-01-31"


BASE = """<xs:complexType name="Shape"><xs:sequence><xs:element name="Id" type="xs:int"/></xs:sequence></xs:complexType>
<xs:complexType name="Circle"><xs:complexContent><xs:extension base="t:Shape"><xs:sequence>
<xs:element name="Radius" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>"""


def test_a_derived_type_is_named_by_the_record(tmp_path: Path) -> None:
    path = odd(tmp_path, '<xs:sequence><xs:element name="Shape" type="t:Shape"/></xs:sequence>', types=BASE)
    circle = written(path, {"Shape": {"@xsi:type": "Circle", "Id": 1, "Radius": 2}})[0]
    assert shown(circle) == "Shape[type=o:Circle](Id=1 Radius=2)"
    assert refused(path, {"Shape": {"@xsi:type": "Square", "Id": 1}}) == "`Shape/@xsi:type`: the WSDL has no such type"


SIMPLE = """<xs:simpleType name="Few"><xs:list itemType="xs:int"/></xs:simpleType>
<xs:simpleType name="Either"><xs:union memberTypes="xs:int xs:boolean"/></xs:simpleType>
<xs:simpleType name="Short"><xs:restriction base="xs:short"/></xs:simpleType>"""


def test_lists_unions_and_restrictions_of_plain_types_are_written_by_what_they_are_made_of(tmp_path: Path) -> None:
    inner = "".join(f'<xs:element name="{name}" type="t:{name}" minOccurs="0"/>' for name in ("Few", "Either", "Short"))
    path = odd(tmp_path, f"<xs:sequence>{inner}</xs:sequence>", types=SIMPLE)
    tree = {"Few": [1, "2"], "Either": "true", "Short": 3}
    assert shown(written(path, tree)) == "Do(Few=1 2 Either=true Short=3)"
    assert refused(path, {"Few": "1 two"}).startswith("`Few` must be a whole number")
    assert refused(path, {"Short": 40000}) == "`Short` must be a whole number from -32768 to 32767"


def test_an_rpc_service_gets_its_parts_in_a_wrapper_of_the_operations_name(tmp_path: Path) -> None:
    part = '<part name="code" type="xs:int"/><part name="text" type="xs:string"/>'
    element = written(odd(tmp_path, "", style="rpc", part=part), {"text": "t", "code": 1})
    assert element.tag == "{urn:odd}Do" and shown(element) == "Do(code=1 text=t)"
    assert [child.tag for child in element] == ["code", "text"]


def test_an_operation_that_takes_nothing_is_given_nothing(tmp_path: Path) -> None:
    path = odd(tmp_path, "", part="")
    assert Wsdl.read(path).refusal("Do", {}) is None
    assert refused(path, {"A": 1}) == "`A` is unknown to the WSDL: the operation takes nothing"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("y:A", "`y:A`: declare the prefix `y` in `namespaces`"),
        ("x:1st", "`x:1st` cannot be a name in XML"),
        ("x:A B", "`x:A B` cannot be a name in XML"),
    ],
)
def test_a_name_of_ones_own_must_be_a_name(tmp_path: Path, key: str, said: str) -> None:
    assert refused(odd(tmp_path, OPEN), {key: 1}) == said


@pytest.mark.parametrize(
    ("path", "there"),
    [("Number", True), ("Numbre", True), ("Number/More", False), ("", True)],
)
def test_an_answer_can_be_asked_whether_it_could_hold_a_path(tmp_path: Path, path: str, *, there: bool) -> None:
    steps = path.split("/") if path else []
    assert Wsdl.read(odd(tmp_path, SEQUENCE)).answers("Do", steps) is there


def test_the_answers_of_a_closed_type_hold_only_what_it_names() -> None:
    wsdl = Wsdl.read(EXAMPLE)
    assert wsdl.answers("SubmitRequest", ["SubmitRequestResult", "RequestNumber"])
    assert not wsdl.answers("SubmitRequest", ["SubmitRequestResult", "Number"])


def test_a_port_is_found_by_name_and_one_that_is_not_there_names_those_that_are() -> None:
    assert Wsdl.read(EXAMPLE, port="RequestsSoap12").operations
    with pytest.raises(Misconfigured, match="it has EastvaleRequests/RequestsSoap, EastvaleRequests/RequestsSoap12"):
        Wsdl.read(EXAMPLE, port="Other")
    with pytest.raises(Misconfigured, match=r"none\.wsdl cannot be read"):
        Wsdl.read(Path("none.wsdl"))


def test_null_in_a_choice_is_nothing_given(tmp_path: Path) -> None:
    assert shown(written(odd(tmp_path, CHOICE), {"A": None, "B": 2, "C": None})) == "Do(B=2)"
    assert refused(odd(tmp_path, CHOICE), {"A": None}) == "the record needs one of A, B, C"


@pytest.mark.parametrize("key", ["", 1, "#text", ":"])
def test_a_key_that_is_no_name_is_refused_like_any_other(tmp_path: Path, key: Any) -> None:
    assert "is unknown to the WSDL" in refused(odd(tmp_path, SEQUENCE), {"A": 1, "N": "", key: 1})


def test_what_a_wsdl_imports_lies_beside_it(tmp_path: Path) -> None:
    root = etree.parse(EXAMPLE).getroot()
    types, ours = root.iter(f"{XS}schema")
    (tmp_path / "types.xsd").write_bytes(etree.tostring(types))
    types.getparent().remove(types)
    next(ours.iter(f"{XS}import")).set("schemaLocation", "types.xsd")
    (tmp_path / "parted.wsdl").write_bytes(etree.tostring(root))
    assert shown(written(tmp_path / "parted.wsdl", samples.CREATE[1], "SubmitRequest")).startswith("SubmitRequest(Req")


def test_a_message_of_several_elements_fills_the_body(tmp_path: Path) -> None:
    types = '<xs:element name="A" type="xs:int"/><xs:element name="B" type="xs:string"/>'
    path = odd(tmp_path, "", types=types, part='<part name="a" element="t:A"/><part name="b" element="t:B"/>')
    body = written(path, {"A": 1, "B": "b"}).getparent()
    assert body is not None and shown(body) == "Body(A=1 B=b)"

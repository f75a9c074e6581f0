"""Small council folders and a connector for the tests of mappings: nothing of a product, nothing on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.connector import Delivery, Http, Operation, Receipt, ReplaySafety
from hub.core.compiling import Compiled, compile_mapping
from hub.core.findings import Finding
from hub.core.mapping import CompiledMapping
from hub.core.tables import Table
from hub.council_files import read_yaml, without_omit
from hub.council_mappings import schemas_of
from hub.councils import Loaded, load
from hub.registry import Registry


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str
    quantity: int = 1


class Job(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ref: str
    uprn: str | None = None
    service_id: int | None = None
    notes: Annotated[str, Field(max_length=200)] | None = None
    urgent: bool = False
    lines: list[Line] = []


class Comment(BaseModel):
    text: str


class DepotSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    username: str = "hub"
    password: SecretStr
    pause_ms: int = 0


class Depot:
    """A depot that books jobs."""

    name: ClassVar[str] = "depot"
    simulator: ClassVar[str] = "nowhere:app"
    Settings: ClassVar[type[BaseModel]] = DepotSettings
    operations: ClassVar[Mapping[str, Operation]] = {
        "BookJob": Operation(Job, replay_safety=ReplaySafety.LOOKUP),
        "AddComment": Operation(Comment),
    }

    def __init__(self, settings: DepotSettings, http: Http) -> None: ...

    async def create(self, record: Job, delivery: Delivery) -> Receipt:
        return Receipt(reference="J-1")

    async def find(self, our_reference: str) -> Receipt | None:
        return None

    async def update(self, record: Comment, receipt: Receipt, delivery: Delivery) -> Receipt:
        return receipt


COUNCIL = """\
council: Northborough Borough Council
slug: northborough
gss: E07000999
calendar: england-and-wales
destinations:
  waste:
    connector: depot
    settings: {url: "env:WASTE_URL", password: "env:WASTE_PASSWORD"}
    limits: {concurrency: 4, per_second: 10, timeout: 60s}
    windows: [{closed: "Sun 02:00-05:00", reason: weekly restart}]
    replay: {create: unsafe}
routes:
  - service: missed-bin
    to: waste
    mapping: depot/missed-bin
    with:
      service_ids: {refuse: 81, mixed_recycling: 82, food: 85, other: 99}
"""
PATTERN = """\
service: missed-bin
connector: depot
needs:
  service_ids: {help: Depot service id for each waste type, keys: waste_type}
each: container in details.containers
create:
  operation: BookJob
  record:
    ref: "{{ hub.our_reference }}"
    uprn: "{{ property.uprn | default(omit) }}"
    service_id: "{{ container.waste_type | lookup(service_ids) }}"
    notes: "{{ description | default(omit) | shorten(200) }}"
    lines:
      - code: "{{ container.container_code | default('none') }}"
        quantity: "{{ container.quantity | default(1) }}"
status: {Done: resolved, "In Progress": in_progress}
"""
CASE = """\
given:
  property: {uprn: "100012345678"}
  details: {containers: [{waste_type: food, quantity: 2}]}
expect:
  ref: ABCD-EFGH
  uprn: "100012345678"
  service_id: 85
  lines: [{code: none, quantity: 2}]
"""
FILES = {
    "northborough/council.yaml": COUNCIL,
    "northborough/cases/missed-bin/food.yaml": CASE,
    "patterns/depot/missed-bin.yaml": PATTERN,
}
SECRETS = {"env:WASTE_URL": "http://depot.example", "env:WASTE_PASSWORD": "correct-horse"}


def files(council: str = COUNCIL, pattern: str = PATTERN, **more: str) -> dict[str, str]:
    """The small tree, with a file or two changed. `more` names files of the council's folder, `__` for a slash."""
    extra = {f"northborough/{name.replace('__', '/')}.yaml": text for name, text in more.items()}
    return {**FILES, "northborough/council.yaml": council, "patterns/depot/missed-bin.yaml": pattern, **extra}


def loaded(tree: dict[str, str] | None = None) -> Loaded:
    return load(FILES if tree is None else tree, registry=registry(), secrets=SECRETS.__getitem__)


def registry() -> Registry:
    """A registry that knows the depot and nothing else."""
    return Registry(waiting={"depot": lambda: Depot})


def council_with(old: str, new: str) -> list[Finding]:
    """What is found when this part of council.yaml is changed."""
    assert old in COUNCIL
    return loaded(files(council=COUNCIL.replace(old, new))).findings


def pattern_with(old: str, new: str) -> list[Finding]:
    """What is found when this part of the pattern is changed."""
    assert old in PATTERN
    return loaded(files(pattern=PATTERN.replace(old, new))).findings


def only(findings: list[Finding], code: str) -> Finding:
    """The one finding of this code."""
    found = [finding for finding in findings if finding.code == code]
    assert len(found) == 1, [(each.code, each.line, each.message) for each in findings]
    return found[0]


def compiled(record: str, *, head: str = "", service: str | None = None, names: tuple[str, ...] = ()) -> Compiled:
    """A mapping of this record. Without a service its paths are free."""
    body = "\n".join(f"    {line}" for line in record.strip("\n").splitlines())
    text = f"service: missed-bin\nconnector: depot\n{head}create:\n  operation: BookJob\n  record:\n{body}\n"
    doc, findings = read_yaml(text, "test.yaml")
    assert doc is not None, findings
    assert findings == []
    return compile_mapping(
        without_omit(doc.data), file="test.yaml", places=doc.places, schemas=schemas_of(service), names=names
    )


def mapping(record: str, *, head: str = "", names: tuple[str, ...] = ()) -> CompiledMapping:
    made = compiled(record, head=head, names=names)
    assert made.findings == (), made.findings
    assert made.mapping is not None
    return made.mapping


def run(record: str, **context: Any) -> dict[str, Any]:
    """The record that a mapping makes of a context; tables are those of the names it looks codes up in."""
    names = tuple(name for name, value in context.items() if isinstance(value, Table))
    return mapping(record, names=names).run("create", context)


def value(expression: str, **context: Any) -> Any:
    """What one expression comes to."""
    return run(f"x: {expression!r}" if "'" not in expression else f'x: "{expression}"', **context)["x"]


def table(rows: dict[str, Any], **more: Any) -> Table:
    return Table(name="codes", rows=rows, lines={key: at for at, key in enumerate(rows, start=2)}, **more)

"""What a council fills in to say how its SOAP system speaks: operations, keys, and what answers and faults mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from connectors.soap.answers import Means, place
from connectors.soap.samples import SETTINGS
from connectors.soap.trees import placeholders

VERBS: Final = ("create", "update", "cancel", "attach")


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _path(text: str) -> str:
    place(text)
    return text


def _file(text: str) -> str:
    if text.lstrip().startswith("<") or "\n" in text:
        raise ValueError("give the path of the WSDL; `file:/path` would be what stands in it, so write the path itself")
    return text


def _word(stated: Any) -> Any:
    return "busy" if stated == "unavailable" else stated


def _texts(stated: Any) -> Any:
    """Values as they stand in an answer, though YAML reads some as numbers or as true."""
    if not isinstance(stated, Mapping):
        return stated
    return {str(key).lower() if isinstance(key, bool) else str(key): each for key, each in stated.items()}


Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
Name = Annotated[str, Field(min_length=1)]
Path = Annotated[str, AfterValidator(_path)]
Meaning = Annotated[Means, BeforeValidator(_word)]
Tree = Annotated[dict[str, Any], Field(description="Elements by name, as in a record; values may be references")]


class Exists(Part):
    """Where a "this is there already" names the case that is there."""

    reference: Annotated[
        Path | None, Field(description="The number of the case that is there; without it, it is looked up")
    ] = None
    our_reference: Annotated[
        Path | None, Field(description="Where that case's own reference of ours stands: it proves whose case it is")
    ] = None
    joined: Annotated[
        bool, Field(description="The product goes by something else than our reference: place and kind, say")
    ] = False


class Outcome(Exists):
    """What the value at a place of an answer means."""

    at: Annotated[Path, Field(description="`A/B/C`, from below the answer's own element; of a list, the first")]
    values: Annotated[dict[str, Meaning], BeforeValidator(_texts), Field(description="Each value, exactly: `0: ok`")]
    otherwise: Annotated[Meaning, Field(description="Any other value")] = Means.UNCLEAR
    absent: Annotated[Meaning | None, Field(description="Nothing stands there; as `otherwise`, if left out")] = None
    words: Annotated[Path | None, Field(description="Where the product's own explanation stands")] = None


class FaultKey(Part):
    """Which SOAP faults are meant."""

    code: Annotated[Name, Field(description="Without its prefix; for SOAP 1.2 the subcode, or the code")]
    text: Annotated[str | None, Field(description="If given, only faults with exactly this text")] = None

    @property
    def key(self) -> str | tuple[str, str]:
        return self.code if self.text is None else (self.code, self.text)


class FaultRule(FaultKey, Exists):
    """What a SOAP fault means. Paths begin below the fault's detail."""

    means: Meaning


class Call(Part):
    """One operation of the WSDL, what is always sent with it, and how its answer is read."""

    operation: Annotated[Name, Field(description="As the WSDL calls it")]
    arguments: Tree = {}
    outcomes: Annotated[list[Outcome], Field(description="All of them are read; the first that is not ok counts")] = []


class Create(Call):
    """The operation that makes the case."""

    reference: Annotated[Path, Field(description="Where the case's number stands in the answer")]


class Attach(Call):
    """The operation that adds a file to a case; the file is `{base64}` in its arguments."""

    largest: Annotated[int, Field(ge=1, le=64 * 2**20, description="Bytes; a larger file is refused")] = 10 * 2**20


class Lookup(Call):
    """How to ask for the case under our reference, and how to read what is found."""

    items: Annotated[Path, Field(alias="list", description="Where the cases stand in the answer")]
    reference: Annotated[Path, Field(description="The case's number, from below the case")]
    our_reference: Annotated[Path, Field(description="Our reference, from below the case")]
    none: Annotated[list[FaultKey], Field(description="Faults that say that there is none")] = []


class SignIn(Call):
    """The operation whose answer gives a token. It is `{token}` in `headers` and `arguments`."""

    token_at: Annotated[Path, Field(description="Where the token stands in the answer")]
    minutes: Annotated[float, Field(gt=0, le=1440, description="How long a token is kept")] = 20.0
    wsdl: Annotated[str | None, Field(description="Where signing in has a WSDL of its own")] = None
    address: Address | None = None
    service: str | None = None
    port: str | None = None


class Token(Part):
    """WS-Security UsernameToken."""

    username: Name
    password: Annotated[SecretStr, Field(description="By reference: `env:NAME` or `file:/path`")]
    digest: Annotated[bool, Field(description="A hash with nonce and time in place of the password")] = False
    timestamp: Annotated[
        int | None, Field(ge=5, le=3600, description="Adds a Timestamp that ends after so many seconds")
    ] = None
    typed: Annotated[bool, Field(description="Names the password's type")] = True
    must_understand: Annotated[
        Literal["soap", "bare", "none"], Field(description="`bare`: without a namespace, as some WCF services want it")
    ] = "soap"
    prefix: Annotated[str | None, Field(description="null makes Security the default namespace")] = "wsse"


class Basic(Part):
    username: Name
    password: SecretStr


class Security(Part):
    """How the product knows us, apart from a session: either, or both."""

    username_token: Token | None = None
    basic: Annotated[Basic | None, Field(description="HTTP Basic")] = None


class SoapSettings(Part):
    """How one council's SOAP system speaks."""

    model_config = ConfigDict(json_schema_extra={"examples": SETTINGS})

    wsdl: Annotated[
        Name,
        AfterValidator(_file),
        Field(description="A file where the hub runs, with all that it imports beside it: a path, or `env:NAME`"),
    ]
    address: Annotated[Address, Field(description="Where all calls are posted to, whatever the WSDL says")]
    service: Annotated[str | None, Field(description="In the WSDL; the first, if left out")] = None
    port: Annotated[str | None, Field(description="In the WSDL; it decides between SOAP 1.1 and 1.2")] = None
    strict: Annotated[bool, Field(description="False where the product's answers are not of its own WSDL")] = True
    soap_action: Annotated[Literal["quoted", "bare"], Field(description="How SOAP 1.1's action is written")] = "quoted"
    namespaces: Annotated[dict[str, str], Field(description="Prefixes that names in trees may have")] = {}
    security: Annotated[Security, Field(description="WS-Security, HTTP Basic, or both")] = Security()
    headers: Annotated[
        Tree, Field(description="Elements of the SOAP header; `{token}` and `{operation}` are known")
    ] = {}
    arguments: Annotated[Tree, Field(description="Sent with every operation but the sign-in, below its own")] = {}
    faults: Annotated[list[FaultRule], Field(description="What SOAP faults mean; one that is not here is unclear")] = []
    sign_in: Annotated[SignIn | None, Field(description="Where calls want a session")] = None
    create: Annotated[Create, Field(description="Makes the case")]
    update: Annotated[Call | None, Field(description="Adds something to a case")] = None
    cancel: Annotated[Call | None, Field(description="Withdraws a case")] = None
    attach: Annotated[Attach | None, Field(description="Adds a file to a case")] = None
    lookup: Annotated[Lookup | None, Field(description="Asks for the case under our reference")] = None
    check: Annotated[Call | None, Field(description="A read that changes nothing")] = None

    @property
    def calls(self) -> Iterator[tuple[str, Call]]:
        """Every call that is declared, by the setting's name."""
        for name in ("sign_in", *VERBS, "lookup", "check"):
            call = getattr(self, name)
            if call is not None:
                yield name, call

    @property
    def rejects_duplicates(self) -> bool:
        """Whether a second create under our reference is refused as "there already"."""
        says = [each for each in self.create.outcomes if Means.DUPLICATE in (*each.values.values(), each.otherwise)]
        faults = [each for each in self.faults if each.means is Means.DUPLICATE]
        return any(not each.joined for each in (*says, *faults))

    @model_validator(mode="after")
    def _whole(self) -> SoapSettings:
        for fault in _faults(self):
            raise ValueError(fault)
        return self


_ALWAYS: Final = frozenset({"token"})
_OURS: Final = _ALWAYS | {"our_reference", "received_at"}
#: What may stand in braces, by the setting that it stands in.
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "headers": frozenset({"token", "operation"}),
    "arguments": _ALWAYS,
    "sign_in": frozenset(),
    "check": _ALWAYS,
    "lookup": _ALWAYS | {"our_reference"},
    "create": _OURS,
    "update": _OURS | {"reference"},
    "cancel": _OURS | {"reference"},
    "attach": _OURS | {"reference", "name", "extension", "media_type", "size", "base64"},
}


def _faults(settings: SoapSettings) -> Iterator[str]:
    """What does not go together, so that a delivery would only find out when it is sent."""
    trees = {"headers": settings.headers, "arguments": settings.arguments}
    trees |= {name: call.arguments for name, call in settings.calls}
    for name, tree in trees.items():
        for one in sorted(placeholders(tree) - KNOWN[name]):
            there = ", ".join(f"{{{each}}}" for each in sorted(KNOWN[name])) or "none"
            yield f"`{name}` knows no {{{one}}}; there is {there}"
    spends = any("token" in placeholders(tree) for tree in trees.values())
    if settings.sign_in is None and spends:
        yield "`{token}` needs `sign_in`"
    if settings.sign_in is not None and not spends:
        yield "put the token of `sign_in` somewhere: `{token}` in `headers` or `arguments`"
    yield from _meanings(settings)
    if settings.attach is not None and "base64" not in placeholders(settings.attach.arguments):
        yield "`attach` must send the file: put `{base64}` into its `arguments`"
    if settings.lookup is not None and not settings.strict and not settings.lookup.outcomes:
        yield "with `strict: false`, `lookup` needs `outcomes`: else any answer would pass for an empty list"


def _meanings(settings: SoapSettings) -> Iterator[str]:
    stated: list[tuple[str, Means, Exists]] = [("faults", fault.means, fault) for fault in settings.faults]
    for name, call in settings.calls:
        for outcome in call.outcomes:
            words = {*outcome.values.values(), outcome.otherwise, outcome.absent or outcome.otherwise}
            stated += [(name, word, outcome) for word in sorted(words)]
    for name, word, rule in stated:
        if word is Means.EXPIRED and settings.sign_in is None:
            yield f"`{name}`: `expired` needs `sign_in`"
        if word is Means.NONE and name != "lookup":
            yield f"`{name}`: `none` is for `lookup`"
        if word is Means.DUPLICATE and name not in ("create", "faults"):
            yield f"`{name}`: `duplicate` is for `create`"
        if word is Means.DUPLICATE and rule.reference is None and settings.lookup is None:
            yield f"`{name}`: say where a duplicate names its case (`reference`), or declare `lookup`"
        if word is Means.OK and name == "faults":
            yield "a fault is never `ok`"

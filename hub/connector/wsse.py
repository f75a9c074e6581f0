"""WS-Security's user name and password, as council systems want them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from lxml import etree

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsernameToken:
    """A user name and a password in clear text, in every envelope.

    `must_understand`: "bare" writes `mustUnderstand="true"` without a
    namespace (Whitespace, Echo), "soap" the standard's `soap:mustUnderstand="1"`,
    "none" nothing. `typed` adds the PasswordText type. `prefix` None makes
    `Security` the default namespace.
    """

    username: str
    password: str = field(repr=False)
    must_understand: Literal["bare", "soap", "none"] = "bare"
    typed: bool = False
    prefix: str | None = None

    def element(self, envelope_namespace: str) -> etree._Element:
        """A new `Security` element for the header of one envelope."""
        security = etree.Element(f"{{{WSSE}}}Security", nsmap=cast("dict[str, str]", {self.prefix: WSSE}))
        if self.must_understand == "bare":
            security.set("mustUnderstand", "true")
        elif self.must_understand == "soap":
            security.set(f"{{{envelope_namespace}}}mustUnderstand", "1")
        token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
        etree.SubElement(token, f"{{{WSSE}}}Username").text = self.username
        password = etree.SubElement(token, f"{{{WSSE}}}Password")
        password.text = self.password
        if self.typed:
            password.set("Type", _TEXT)
        return security

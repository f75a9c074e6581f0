"""WS-Security's user name and password, as council systems want them."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from lxml import etree

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_TEXT = f"{_PROFILE}#PasswordText"
_DIGEST = f"{_PROFILE}#PasswordDigest"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsernameToken:
    """A user name and a password in every envelope.

    `must_understand`: "bare" writes `mustUnderstand="true"` without a
    namespace (Whitespace, Echo), "soap" the standard's `soap:mustUnderstand="1"`,
    "none" nothing. `typed` adds the PasswordText type. `prefix` None makes
    `Security` the default namespace. `digest` sends no password but a hash of
    it with a nonce and the time; `lasts` adds a Timestamp that ends after so
    long. With either, each envelope has an element of its own.
    """

    username: str
    password: str = field(repr=False)
    must_understand: Literal["bare", "soap", "none"] = "bare"
    typed: bool = False
    prefix: str | None = None
    digest: bool = False
    lasts: timedelta | None = None

    @property
    def fresh(self) -> bool:
        """Whether an element may be sent only once."""
        return self.digest or self.lasts is not None

    def element(self, envelope_namespace: str) -> etree._Element:
        """A new `Security` element for the header of one envelope."""
        security = etree.Element(f"{{{WSSE}}}Security", nsmap=cast("dict[str, str]", {self.prefix: WSSE}))
        if self.must_understand == "bare":
            security.set("mustUnderstand", "true")
        elif self.must_understand == "soap":
            security.set(f"{{{envelope_namespace}}}mustUnderstand", "1")
        now = datetime.now(UTC)
        if self.lasts is not None:
            stamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
            etree.SubElement(stamp, f"{{{WSU}}}Created").text = _instant(now)
            etree.SubElement(stamp, f"{{{WSU}}}Expires").text = _instant(now + self.lasts)
        token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
        etree.SubElement(token, f"{{{WSSE}}}Username").text = self.username
        password = etree.SubElement(token, f"{{{WSSE}}}Password")
        password.text = self.password
        if self.digest:
            self._hash(token, password, now)
        elif self.typed:
            password.set("Type", _TEXT)
        return security

    def _hash(self, token: etree._Element, password: etree._Element, now: datetime) -> None:
        """What the UsernameToken profile 1.0, section 3.1, has in place of the password."""
        nonce, created = secrets.token_bytes(16), _instant(now)
        hashed = hashlib.sha1(nonce + created.encode() + self.password.encode(), usedforsecurity=False).digest()
        password.text = b64encode(hashed).decode()
        password.set("Type", _DIGEST)
        shown = etree.SubElement(token, f"{{{WSSE}}}Nonce", EncodingType=_BASE64)
        shown.text = b64encode(nonce).decode()
        etree.SubElement(token, f"{{{WSU}}}Created").text = created


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

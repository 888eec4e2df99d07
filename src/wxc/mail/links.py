"""The links in mails, and the tokens that they carry."""

import hashlib
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from wxc.core.config import Config
from wxc.core.signing import derive_key, sign
from wxc.models import MailKind

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 256 bits
_PAGES = {
    MailKind.VERIFICATION: "verify-email",
    MailKind.EMAIL_CHANGE: "verify-email",
    MailKind.PASSWORD_RESET: "reset-password",
}


@dataclass(frozen=True, slots=True)
class Link:
    """What a mailed link is good for."""

    mail_id: UUID
    user_id: UUID
    kind: MailKind
    address: str
    """Where it went: the address that it proves."""


class Links:
    """Makes tokens from the ids of mails: the same on every attempt, and stored nowhere."""

    def __init__(self, config: Config) -> None:
        self._key = derive_key(config.secret_key.get_secret_value(), "mail token")
        self._base = config.frontend_url.rstrip("/")
        verification = timedelta(seconds=config.email_verification_lifetime)
        self._lifetimes = {
            MailKind.VERIFICATION: verification,
            MailKind.EMAIL_CHANGE: verification,
            MailKind.PASSWORD_RESET: timedelta(seconds=config.password_reset_lifetime),
        }

    @property
    def domain(self) -> str:
        """The front end's host, in ASCII."""
        return (urlsplit(self._base).hostname or "localhost").encode("idna").decode()

    def token(self, mail_id: UUID) -> str:
        """The token of a mail: 256 bits that only we can compute."""
        return urlsafe_b64encode(sign(self._key, mail_id.bytes)).decode().rstrip("=")

    def url(self, kind: MailKind, mail_id: UUID) -> str:
        """Where the link leads; what follows `#` never leaves the reader's browser by itself."""
        return f"{self._base}/{_PAGES[kind]}#token={self.token(mail_id)}"

    def digest(self, mail_id: UUID) -> bytes:
        """What is stored of a mail's token."""
        return _hash(self.token(mail_id))

    def is_in(self, kind: MailKind) -> bool:
        """Whether such mails carry a link."""
        return kind in self._lifetimes

    def lifetime(self, kind: MailKind) -> timedelta:
        """How long the link of such a mail holds; nothing where there is none."""
        return self._lifetimes.get(kind, timedelta())


def digest(token: str) -> bytes | None:
    """What is stored of a token; None for what never was one."""
    return _hash(token) if _TOKEN.fullmatch(token) else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

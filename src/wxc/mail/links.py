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
    MailKind.EMAIL_CHANGE_REQUESTED: "cancel-email-change",
    MailKind.EMAIL_CHANGED: "restore-email",
}


@dataclass(frozen=True, slots=True)
class Link:
    mail_id: UUID
    user_id: UUID
    kind: MailKind
    address: str
    """The recipient; using the link proves control of this address."""
    is_live: bool = True
    """Neither used nor invalidated."""


class Links:
    """Derives tokens from mail ids, so that every delivery attempt sends the same link."""

    def __init__(self, config: Config) -> None:
        self._key = derive_key(config.secret_key.get_secret_value(), "mail token")
        self._base = config.frontend_url.rstrip("/")
        verification = timedelta(seconds=config.email_verification_lifetime)
        self._lifetimes = {
            MailKind.VERIFICATION: verification,
            MailKind.EMAIL_CHANGE: verification,
            MailKind.PASSWORD_RESET: timedelta(seconds=config.password_reset_lifetime),
            # Outlives the link that it cancels, which may be sent that much later.
            MailKind.EMAIL_CHANGE_REQUESTED: verification
            + timedelta(seconds=config.mail_link_patience),
            MailKind.EMAIL_CHANGED: timedelta(seconds=config.email_restore_lifetime),
        }

    @property
    def domain(self) -> str:
        """The front end's host, IDNA-encoded."""
        return (urlsplit(self._base).hostname or "localhost").encode("idna").decode()

    def token(self, mail_id: UUID) -> str:
        """An HMAC of 256 bits in base64url."""
        return urlsafe_b64encode(sign(self._key, mail_id.bytes)).decode().rstrip("=")

    def url(self, kind: MailKind, mail_id: UUID) -> str:
        """The token is in the fragment, which browsers do not send to servers."""
        return f"{self._base}/{_PAGES[kind]}#token={self.token(mail_id)}"

    def digest(self, mail_id: UUID) -> bytes:
        """The SHA-256 of the mail's token; only this is stored."""
        return _sha256(self.token(mail_id))

    def has_link(self, kind: MailKind) -> bool:
        return kind in self._lifetimes

    def lifetime(self, kind: MailKind) -> timedelta:
        """The lifetime of the link; zero for kinds without a link."""
        return self._lifetimes.get(kind, timedelta())


def digest(token: str) -> bytes | None:
    """The SHA-256 of the token; None if the token is malformed."""
    return _sha256(token) if _TOKEN.fullmatch(token) else None


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

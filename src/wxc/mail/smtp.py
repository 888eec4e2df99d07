import asyncio
import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr

from aiosmtplib.errors import SMTPException
from fastapi_mail import ConnectionConfig
from fastapi_mail.connection import Connection
from fastapi_mail.errors import ConnectionErrors
from pydantic import SecretStr

from wxc.core.config import Config
from wxc.mail.emails import Email

_ADDRESS = re.compile(r"[^\s<>()'\",;:]+@[^\s<>()'\",;:]+")


class DeliveryFailed(Exception):  # noqa: N818 - an expected outcome
    """The mail server could not be reached or did not accept the e-mail."""


class SmtpTransport:
    """Sends through the configured mail server; the only user of SMTP."""

    def __init__(self, config: Config) -> None:
        name, address = parseaddr(config.mail_from)
        self._sender = address
        self._from = formataddr((name, address))
        self._timeout = config.mail_timeout
        # No validation: Config did that, and fastapi-mail would reject development domains.
        self._settings = ConnectionConfig.model_construct(
            MAIL_SERVER=config.mail_server or "",
            MAIL_PORT=config.mail_port,
            MAIL_USERNAME=config.mail_username or "",
            MAIL_PASSWORD=config.mail_password or SecretStr(""),
            MAIL_STARTTLS=config.mail_starttls,
            MAIL_SSL_TLS=config.mail_ssl_tls,
            MAIL_FROM=address,
            USE_CREDENTIALS=bool(config.mail_username),
            SUPPRESS_SEND=0,
            VALIDATE_CERTS=True,
            TIMEOUT=max(1, round(config.mail_timeout)),
        )

    async def deliver(
        self, email: Email, address: str, *, message_id: str, created_at: datetime
    ) -> None:
        """Raises `DeliveryFailed` unless the server accepts the e-mail within the timeout."""
        message = self._message(email, address, message_id, created_at)
        is_accepted = False
        try:
            async with asyncio.timeout(self._timeout), Connection(self._settings) as connection:
                await connection.session.send_message(
                    message, sender=self._sender, recipients=[address]
                )
                is_accepted = True
        except (ConnectionErrors, SMTPException, OSError) as error:
            if not is_accepted:  # a failed QUIT does not undo the delivery
                raise DeliveryFailed(_redacted_reason(error)) from error

    def _message(
        self, email: Email, address: str, message_id: str, created_at: datetime
    ) -> EmailMessage:
        """Build the MIME message.

        fastapi-mail's own builder writes a given Message-ID twice and encodes multiparts as base64,
        which RFC 2045 section 6.4 forbids.
        """
        message = EmailMessage(policy=SMTP)  # rejects line breaks in headers
        message["From"] = self._from
        message["To"] = address
        message["Subject"] = email.subject
        message["Date"] = format_datetime(created_at)
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
        message.set_content(email.text)
        message.add_alternative(email.html, subtype="html")
        return message


def _redacted_reason(error: Exception) -> str:
    """The error without addresses: servers repeat a refused address in their reply."""
    return _ADDRESS.sub("(address)", f"{type(error).__name__}: {error}")[:300]

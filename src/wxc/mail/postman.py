"""Handing a letter to the mail server: the only place that speaks SMTP."""

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
from wxc.mail.letters import Letter

_ADDRESS = re.compile(r"[^\s<>()'\",;:]+@[^\s<>()'\",;:]+")


class NotSent(Exception):  # noqa: N818 - a fact, not an error
    """The mail server could not be reached or did not take the mail."""


class Postman:
    """Delivers to the configured mail server, each mail within a bounded time."""

    def __init__(self, config: Config) -> None:
        name, address = parseaddr(config.mail_from)
        self._sender = address
        self._from = formataddr((name, address))
        self._timeout = config.mail_timeout
        # Not validated once more: Config has done that, and knows development's domains.
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
        self, letter: Letter, address: str, *, message_id: str, written_at: datetime
    ) -> None:
        """Have the server take the letter; raises `NotSent` where it is not known to have it."""
        message = self._message(letter, address, message_id, written_at)
        is_taken = False
        try:
            async with asyncio.timeout(self._timeout), Connection(self._settings) as connection:
                await connection.session.send_message(
                    message, sender=self._sender, recipients=[address]
                )
                is_taken = True
        except (ConnectionErrors, SMTPException, OSError) as error:
            if not is_taken:  # a farewell that fails takes nothing back
                raise NotSent(_reason(error)) from error

    def _message(
        self, letter: Letter, address: str, message_id: str, written_at: datetime
    ) -> EmailMessage:
        """The letter in MIME. fastapi-mail's own builder writes a given Message-ID twice and
        encodes what contains parts as base64, which RFC 2045 section 6.4 forbids.
        """
        message = EmailMessage(policy=SMTP)  # whose headers refuse line breaks
        message["From"] = self._from
        message["To"] = address
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(written_at)
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message


def _reason(error: Exception) -> str:
    """What went wrong, for the log: a server's refusal repeats the address that it refuses."""
    return _ADDRESS.sub("(address)", f"{type(error).__name__}: {error}")[:300]

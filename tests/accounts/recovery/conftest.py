"""Fixtures for mailed links."""

from collections.abc import Awaitable, Callable

import pytest
from tests.support.mail import database, later, mail_config, smtp, worker
from tests.support.mail_server import MailServer, link_token

from wxc.worker.mail_delivery import MailSender

__all__ = ["database", "later", "mail_config", "smtp", "worker"]
NewestToken = Callable[[], Awaitable[str]]


@pytest.fixture
def newest_token(worker: MailSender, smtp: MailServer) -> NewestToken:
    """Sends all due mails; returns the token in the newest mail that is not a notice."""

    async def deliver() -> str:
        await worker.run_once()
        pages = ("/verify-email#", "/reset-password#")
        sent = [mail for mail in smtp.mails if any(page in mail.as_string() for page in pages)]
        return link_token(sent[-1])

    return deliver

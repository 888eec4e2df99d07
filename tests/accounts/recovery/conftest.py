"""A worker that delivers, and the link of the newest mail."""

from collections.abc import Awaitable, Callable

import pytest
from tests.support.mail import database, later, mailing, smtp, worker
from tests.support.mail_server import MailServer, token_in

from wxc.worker.mail_delivery import Worker

__all__ = ["database", "later", "mailing", "smtp", "worker"]
NewestToken = Callable[[], Awaitable[str]]


@pytest.fixture
def newest_token(worker: Worker, smtp: MailServer) -> NewestToken:
    """Delivers what is due; the token in the newest mail."""

    async def deliver() -> str:
        await worker.work_once()
        return token_in(smtp.mails[-1])

    return deliver

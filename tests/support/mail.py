"""Fixtures for mails: an outbox, a worker and a mail server."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.database import SingleConnectionDatabase
from tests.support.mail_server import MailServer, mail_server
from wxc.core import clock
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.mail import outbox as mail_outbox
from wxc.models import MailKind, OutboxMail
from wxc.worker.mail_delivery import MailSender

Later = Callable[[timedelta], datetime]


@pytest.fixture
async def smtp() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
def mail_config(config: Config, smtp: MailServer) -> Config:
    """The configuration of a worker that has a mail server."""
    return config.model_copy(
        update={
            "mail_server": "127.0.0.1",
            "mail_port": smtp.port,
            "mail_starttls": False,
            "mail_timeout": 1.0,
            "mail_poll_interval": 0.01,
            "frontend_url": "https://app.example.com/",
            "log_level": "info",
        }
    )


@pytest.fixture
def database(connection: AsyncConnection) -> Database:
    return SingleConnectionDatabase(connection)


@pytest.fixture
def worker(mail_config: Config, database: Database) -> MailSender:
    return MailSender(mail_config, database)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Advances the clock by a span; returns the new time."""
    started = clock.now()
    total = timedelta()

    def move(span: timedelta) -> datetime:
        nonlocal total
        total += span
        moment = started + total
        monkeypatch.setattr(clock, "now", lambda: moment)
        return moment

    return move


async def enqueue(
    database: Database, kind: MailKind = MailKind.PASSWORD_RESET, **options: Any
) -> None:
    options.setdefault("address", "ada@example.com")
    async with database.transaction() as session:
        await mail_outbox.enqueue(session, kind, **options)


async def outbox(connection: AsyncConnection) -> list[Row[*tuple[Any, ...]]]:
    return list((await connection.execute(select(OutboxMail).order_by(OutboxMail.id))).all())

"""A killed worker loses no e-mail, and a repeated delivery is identical to the first."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tests.support import factories
from tests.support.mail import Later, enqueue, outbox
from tests.support.mail_server import MailServer, link_token

from wxc.core import clock
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.mail.repository.outbox import claim_mails, update_due_at, update_final_state
from wxc.models import MailState, OutboxMail
from wxc.worker.mail_delivery import MailSender

pytestmark = pytest.mark.usefixtures("ada")


class Killed(BaseException):
    """Simulates the end of the process."""


class TestCrash:
    async def test_worker_killed_before_storing_the_result_sends_the_same_mail_again(
        self,
        database: Database,
        worker: MailSender,
        mail_config: Config,
        smtp: MailServer,
        monkeypatch: pytest.MonkeyPatch,
        later: Later,
    ) -> None:
        async def die(*_: Any) -> None:
            raise Killed

        await enqueue(database)
        with monkeypatch.context() as patch:
            patch.setattr(worker, "_close", die)
            with pytest.raises(Killed):
                await worker.run_once()
        successor = MailSender(mail_config, database)
        assert await successor.run_once() == 0  # the lease has not expired

        later(timedelta(minutes=2))
        assert await successor.run_once() == 1

        first, second = smtp.mails
        assert first["message-id"] == second["message-id"]
        assert first["date"] == second["date"]
        assert [part.get_content() for part in first.iter_parts()] == [
            part.get_content() for part in second.iter_parts()
        ]

    async def test_worker_with_an_expired_lease_changes_nothing(
        self, database: Database, connection: AsyncConnection, later: Later
    ) -> None:
        await enqueue(database)
        async with database.transaction() as session:
            moment, lease = clock.now(), timedelta(minutes=1)
            (slow,) = await session.fetch(claim_mails(moment, moment + lease, limit=1))
            moment = later(2 * lease)
            (quick,) = await session.fetch(claim_mails(moment, moment + lease, limit=1))
            for query in (
                update_final_state(quick.id, quick.attempts, MailState.SENT, moment),
                update_final_state(slow.id, slow.attempts, MailState.DEAD, moment),
                update_due_at(slow.id, slow.attempts, moment),
            ):
                await session.fetch(query)

        assert [row.state for row in await outbox(connection)] == [MailState.SENT]

    async def test_two_workers_never_claim_the_same_mail(
        self, mail_config: Config, fresh_database_url: str, smtp: MailServer
    ) -> None:
        config = mail_config.model_copy(update={"database_url": fresh_database_url})
        databases = Database(config), Database(config)
        workers = [MailSender(config, database) for database in databases]
        engine = create_async_engine(fresh_database_url)
        async with engine.begin() as connection:
            for number in range(25):
                await factories.make_user(connection, f"member_{number}")
        for number in range(25):
            await enqueue(databases[0], address=f"member_{number}@example.com")

        stop = asyncio.Event()
        running = [asyncio.create_task(worker.run(stop)) for worker in workers]
        async with asyncio.timeout(20), engine.connect() as connection:
            open_mails = select(func.count()).where(OutboxMail.state == MailState.WAITING)
            while await connection.scalar(open_mails):
                await connection.rollback()
                await asyncio.sleep(0.05)
        stop.set()
        await asyncio.gather(*running)

        assert sorted(smtp.recipients) == sorted(set(smtp.recipients))
        assert len(smtp.mails) == 25
        for each in (*databases, engine):
            await (each.close() if isinstance(each, Database) else each.dispose())


@pytest.mark.faults
async def test_worker_killed_during_delivery_loses_no_mail(
    mail_config: Config, fresh_database_url: str, smtp: MailServer
) -> None:
    """SIGKILL after the mail server has accepted the e-mail, but before it confirms this."""
    engine = create_async_engine(fresh_database_url)
    async with engine.begin() as connection:
        await factories.make_user(connection, "ada")
    config = mail_config.model_copy(update={"database_url": fresh_database_url})
    database = Database(config)
    await enqueue(database)
    settings = _environment(config)
    process = await asyncio.create_subprocess_exec("wxc", "worker", env=settings)
    smtp.on_accepted = process.kill
    assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGKILL

    smtp.on_accepted = None
    async with engine.begin() as connection:  # as if the lease had expired
        await connection.execute(update(OutboxMail).values(due_at=clock.now()))
    process = await asyncio.create_subprocess_exec("wxc", "worker", env=settings)
    async with asyncio.timeout(20):
        while await _is_waiting(engine):  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.05)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0

    first, second = smtp.mails
    assert first["message-id"] == second["message-id"]
    assert link_token(first) == link_token(second)
    await database.close()
    await engine.dispose()


async def _is_waiting(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        state = await connection.scalar(select(OutboxMail.state))
    return state == MailState.WAITING


def _environment(config: Config) -> dict[str, str]:
    return dict(os.environ) | {
        "ENVIRONMENT": "development",
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": "s" * 40,
        "JWT_SECRET_KEY": "j" * 40,
        "COOKIE_SECURE": "false",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(config.mail_port),
        "MAIL_STARTTLS": "false",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

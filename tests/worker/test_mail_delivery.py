"""Mails in the outbox are sent once; the worker survives failures."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.mail.conftest import ada, database, later, mail_config, smtp, worker
from tests.support import factories
from tests.support.mail import Later, enqueue, outbox
from tests.support.mail_server import MailServer

from wxc.core import clock
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.db.prepared import PreparedQuery
from wxc.mail import outbox as mail_outbox
from wxc.mail import service
from wxc.mail.repository.outbox import claim_mails
from wxc.models import MailKind, MailState, MailToken
from wxc.worker.mail_delivery import MailSender

__all__ = ["ada", "database", "later", "mail_config", "smtp", "worker"]
pytestmark = pytest.mark.usefixtures("ada")


class TestSending:
    async def test_mail_is_sent_once_with_its_link_in_text_and_html(
        self, database: Database, worker: MailSender, smtp: MailServer, connection: AsyncConnection
    ) -> None:
        await enqueue(database)

        assert (await worker.run_once(), await worker.run_once()) == (1, 0)

        (mail,) = smtp.mails
        (row,) = await outbox(connection)
        assert (row.state, row.attempts) == (MailState.SENT, 1)
        assert mail["to"] == "ada@example.com"
        assert mail["from"] == "WXC Social <no-reply@example.com>"
        assert mail["subject"] == "Reset your password"
        assert mail["message-id"] == f"<{row.id}@app.example.com>"
        assert [part.get_content_type() for part in mail.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
        for part in mail.iter_parts():
            assert not part.defects
            assert "https://app.example.com/reset-password#token=" in part.get_content()

    async def test_used_dedup_key_sends_no_second_mail(
        self, database: Database, worker: MailSender, ada: UUID
    ) -> None:
        for _ in range(2):
            await enqueue(
                database, MailKind.PASSWORD_CHANGED, user_id=ada, dedup_key="the same event"
            )

        assert await worker.run_once() == 1

    async def test_rolled_back_transaction_sends_no_mail(
        self, database: Database, connection: AsyncConnection
    ) -> None:
        async def enqueue_and_fail() -> None:
            async with database.transaction() as session:
                await mail_outbox.enqueue(session, MailKind.PASSWORD_RESET, address="a@example.com")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await enqueue_and_fail()

        assert await outbox(connection) == []

    async def test_mail_to_an_unknown_address_is_deleted_silently(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await factories.make_user(connection, "eve", suspended_at=clock.now())
        for address in ("nobody@example.com", "eve@example.com"):
            await enqueue(database, address=address)

        await worker.run_once()

        assert (smtp.mails, await outbox(connection)) == ([], [])
        assert "example.com" not in caplog.text

    async def test_only_the_stored_address_gets_a_link(
        self, database: Database, worker: MailSender, smtp: MailServer
    ) -> None:
        await enqueue(database, address="ADA@example.com")
        await enqueue(database, address="ada@EXAMPLE.com")

        await worker.run_once()

        assert set(smtp.recipients) == {"ada@example.com"}

    async def test_closed_mails_and_expired_tokens_are_deleted_after_a_week(
        self, database: Database, worker: MailSender, connection: AsyncConnection, later: Later
    ) -> None:
        await enqueue(database)
        await worker.run_once()

        for days in (6, 2):
            later(timedelta(days=days))
            await worker.purge()
            await worker.purge()
            left = await connection.scalar(select(func.count()).select_from(MailToken))
            assert len(await outbox(connection)) == left == (1 if days == 6 else 0)

    async def test_international_address_receives_mail(
        self, database: Database, worker: MailSender, smtp: MailServer, connection: AsyncConnection
    ) -> None:
        await factories.make_user(connection, "zoe", email="zoë@example.com")
        await enqueue(database, address="zoë@example.com")

        await worker.run_once()

        assert (smtp.recipients, len(smtp.mails)) == (["zoë@example.com"], 1)


class TestRunning:
    async def test_mails_wait_without_a_mail_server_and_one_warning_is_logged(
        self,
        config: Config,
        database: Database,
        connection: AsyncConnection,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await enqueue(database)
        stop = asyncio.Event()
        running = asyncio.create_task(MailSender(config, database).run(stop))
        await asyncio.sleep(0.05)
        stop.set()
        await running

        assert caplog.text.count("MAIL_SERVER is not set: mails are kept waiting") == 1
        assert [row.attempts for row in await outbox(connection)] == [0]

    async def test_worker_survives_a_database_outage(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await enqueue(database)
        stop, outages = asyncio.Event(), [1, 1]
        claim = claim_mails(clock.now(), clock.now(), limit=10)
        smtp.on_accepted = stop.set
        run = database.run

        async def sometimes(query: PreparedQuery[Any], **options: bool) -> Any:
            if outages and query.compiled is claim.compiled:
                outages.pop()
                raise OperationalError("", {}, ConnectionError("gone"))
            return await run(query, **options)

        monkeypatch.setattr(database, "run", sometimes)

        await asyncio.wait_for(worker.run(stop), 5)

        assert len(smtp.mails) == 1
        assert caplog.text.count("the outbox cannot be read") == 2

    async def test_mail_is_retried_after_its_lease_if_the_result_cannot_be_stored(
        self,
        database: Database,
        worker: MailSender,
        connection: AsyncConnection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def gone(*_: Any) -> None:
            raise OperationalError("", {}, ConnectionError("gone"))

        await enqueue(database)
        monkeypatch.setattr(service, "resolve_recipient", gone)

        await worker.run_once()

        (row,) = await outbox(connection)
        assert row.state == MailState.WAITING
        assert row.due_at > clock.now() + timedelta(seconds=60)

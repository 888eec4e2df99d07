"""Mail servers that are unreachable or slow, refuse an e-mail or greylist it."""

import logging
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.mail import Later, enqueue, outbox
from tests.support.mail_server import MailServer

from wxc.core import clock
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.models import MailKind, MailState, MailToken, OutboxMail
from wxc.worker.mail_delivery import MailSender, backoff

pytestmark = pytest.mark.usefixtures("ada")


class TestFailures:
    @pytest.mark.parametrize(
        ("verb", "reply"),
        [
            ("", "421 Too busy"),
            ("EHLO", "502 Unknown command"),
            ("MAIL", "550 Not from you"),
            ("RCPT", "451 Greylisted, come again"),
            ("RCPT", "550 No such user"),
            ("DATA", "452 No space"),
            (".", "554 Looks like spam"),
        ],
    )
    async def test_refused_mail_is_retried(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        later: Later,
        verb: str,
        reply: str,
    ) -> None:
        later(timedelta())
        await enqueue(database)
        smtp.replies = {verb: reply} | ({"HELO": reply} if verb == "EHLO" else {})

        await worker.run_once()
        (row,) = await outbox(connection)
        assert (row.state, row.attempts) == (MailState.WAITING, 1)
        assert timedelta(seconds=1) <= row.due_at - clock.now() <= timedelta(seconds=1.5)
        assert await worker.run_once() == 0

        smtp.replies = {}
        later(timedelta(seconds=2))
        await worker.run_once()
        assert len(smtp.mails) == 1

    async def test_unreachable_or_slow_server_times_out(
        self,
        database: Database,
        mail_config: Config,
        smtp: MailServer,
        connection: AsyncConnection,
        later: Later,
    ) -> None:
        impatient = MailSender(mail_config.model_copy(update={"mail_timeout": 0.1}), database)
        await enqueue(database)
        await smtp.close()
        await impatient.run_once()
        await smtp.open()
        smtp.delay = 0.3
        later(timedelta(seconds=2))
        await impatient.run_once()

        (row,) = await outbox(connection)
        assert (row.state, row.attempts, smtp.mails) == (MailState.WAITING, 2, [])

        smtp.delay = 0.0
        later(timedelta(seconds=4))
        await MailSender(mail_config, database).run_once()
        assert len(smtp.mails) == 1

    async def test_failed_quit_does_not_send_twice(
        self, database: Database, worker: MailSender, smtp: MailServer, connection: AsyncConnection
    ) -> None:
        smtp.replies = {"QUIT": "500 No"}
        await enqueue(database)

        await worker.run_once()

        assert [row.state for row in await outbox(connection)] == [MailState.SENT]

    def test_backoff_doubles_up_to_an_hour(self) -> None:
        pauses = [backoff(attempts) for attempts in range(1, 20)]

        for number, pause in enumerate(pauses):
            least = min(2.0**number, 3600)
            assert least <= pause <= 1.5 * least
        assert len({pause / round(pause) for pause in pauses}) > 1, "no jitter"

    async def test_mail_is_given_up_and_logged_after_twelve_attempts(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        ada: UUID,
        later: Later,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        smtp.replies = {"RCPT": "550 <ada@example.com>: no such user"}
        await enqueue(database, MailKind.PASSWORD_CHANGED, user_id=ada)

        for _ in range(13):
            await worker.run_once()
            later(timedelta(hours=2))

        (row,) = await outbox(connection)
        assert (row.state, row.attempts) == (MailState.DEAD, 12)
        (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert "is given up after 12 attempts" in error.message
        assert "550, '<(address)>: no such user'" in error.message

    async def test_mail_that_kills_workers_is_given_up(
        self, database: Database, worker: MailSender, connection: AsyncConnection, ada: UUID
    ) -> None:
        await enqueue(database, MailKind.PASSWORD_CHANGED, user_id=ada)
        await connection.execute(update(OutboxMail).values(attempts=12))

        await worker.run_once()

        assert [row.state for row in await outbox(connection)] == [MailState.DEAD]

    async def test_link_that_could_not_be_sent_for_two_hours_is_dropped(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        later: Later,
        caplog: pytest.LogCaptureFixture,
        ada: UUID,
    ) -> None:
        await enqueue(database)
        await enqueue(database, MailKind.PASSWORD_CHANGED, user_id=ada)
        later(timedelta(hours=2, seconds=1))

        await worker.run_once()

        assert [mail["subject"] for mail in smtp.mails] == ["Your password was changed"]
        assert [row.state for row in await outbox(connection)] == ["dropped", "sent"]
        assert "is dropped: its link could not be sent in time" in caplog.text

    async def test_link_lifetime_begins_with_the_first_attempt(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        later: Later,
    ) -> None:
        later(timedelta())
        await enqueue(database)
        first = later(timedelta(minutes=50))
        await smtp.close()

        await worker.run_once()
        await smtp.open()
        later(timedelta(minutes=30))
        await worker.run_once()

        expiry = await connection.scalar(select(MailToken.expires_at))
        assert expiry == first + timedelta(minutes=30)
        assert ([row.state for row in await outbox(connection)], smtp.mails) == (["dropped"], [])

    async def test_mail_that_cannot_be_rendered_does_not_stop_the_others(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        ada: UUID,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await connection.execute(
            insert(OutboxMail).values(kind="unknown", address="a@b.c", dedup_key="x")
        )
        await enqueue(database, MailKind.PASSWORD_CHANGED, user_id=ada)

        await worker.run_once()

        assert len(smtp.mails) == 1
        assert [row.state for row in await outbox(connection)] == ["waiting", "sent"]
        assert "failed unexpectedly" in caplog.text

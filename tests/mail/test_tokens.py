from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.mail import enqueue, outbox
from tests.support.mail_server import MailServer, link_token

from wxc.core import clock
from wxc.db.database import Database
from wxc.models import MailKind, MailState, MailToken, OutboxMail, User
from wxc.worker.mail_delivery import MailSender

pytestmark = pytest.mark.usefixtures("ada")


class TestTokens:
    async def test_only_the_digest_of_a_token_is_stored(
        self, database: Database, worker: MailSender, smtp: MailServer, connection: AsyncConnection
    ) -> None:
        await enqueue(database)
        await worker.run_once()

        token = link_token(smtp.mails[0])
        for table in ("outbox_mails", "mail_tokens"):
            rows = (await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars()  # noqa: S608
            assert token not in "".join(rows)

    async def test_verification_is_dropped_for_a_verified_or_changed_address(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        ada: UUID,
    ) -> None:
        for change in ({"email": "new@example.com"}, {"email_verified_at": clock.now()}):
            await enqueue(database, MailKind.VERIFICATION, user_id=ada)
            await connection.execute(update(User).where(User.id == ada).values(**change))

            await worker.run_once()

        assert smtp.mails == []
        assert [row.state for row in await outbox(connection)] == [MailState.DROPPED] * 2

    async def test_email_change_is_sent_to_the_new_address_while_it_is_pending(
        self,
        database: Database,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
        ada: UUID,
    ) -> None:
        for address in ("new@example.com", "newer@example.com"):
            await enqueue(database, MailKind.EMAIL_CHANGE, user_id=ada, address=address)
        await connection.execute(
            update(User).where(User.id == ada).values(pending_email="newer@example.com")
        )

        await worker.run_once()

        assert smtp.recipients == ["newer@example.com"]
        (token,) = (await connection.execute(select(MailToken))).all()
        assert (token.kind, token.address) == (MailKind.EMAIL_CHANGE, "newer@example.com")

    async def test_mail_older_than_the_newest_token_is_dropped(
        self, database: Database, worker: MailSender, smtp: MailServer, connection: AsyncConnection
    ) -> None:
        await enqueue(database)
        await connection.execute(
            update(OutboxMail).values(due_at=clock.now() + timedelta(minutes=1))
        )
        await enqueue(database)
        await worker.run_once()
        await connection.execute(update(OutboxMail).values(due_at=clock.now()))

        await worker.run_once()

        assert len(smtp.mails) == 1
        assert [row.state for row in await outbox(connection)] == ["dropped", "sent"]

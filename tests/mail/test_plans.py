"""The worker polls the outbox every second, and so does every health probe."""

import re

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support import factories
from tests.support.database import StatementLog, administer
from tests.support.mail import enqueue

from wxc.core.config import Config
from wxc.db.database import Database
from wxc.mail import service
from wxc.worker.mail_delivery import MailSender

_FILL = (
    """
    INSERT INTO outbox_mails
        (id, kind, address, dedup_key, state, due_at, created_at, finished_at)
    SELECT gen_random_uuid(), 'password_reset', n || '@example.com', n, 'sent', now(), now(), now()
    FROM generate_series(1, 30000) n
    """,
    """
    INSERT INTO users (id, username, email, password_hash, created_at)
    SELECT gen_random_uuid(), 'many_' || n, 'many_' || n || '@example.com', 'x', now()
    FROM generate_series(1, 30000) n
    """,
    """
    INSERT INTO mail_tokens (mail_id, user_id, kind, address, digest, expires_at)
    SELECT gen_random_uuid(), id, 'password_reset', email, sha256(email::bytea),
           now() + interval '1 hour'
    FROM users
    """,
    "VACUUM ANALYZE",
)


async def test_no_statement_of_the_worker_scans_a_large_table(
    mail_config: Config, fresh_database_url: str
) -> None:
    await administer(fresh_database_url, *_FILL)
    database = Database(mail_config.model_copy(update={"database_url": fresh_database_url}))
    engine = create_async_engine(fresh_database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        await factories.make_user(connection, "ada")
    await enqueue(database)

    worker = MailSender(mail_config, database)
    with StatementLog().watching(database) as log:
        assert await worker.run_once() == 1
        await worker.purge()
        await service.has_backlog(database.primary)

    assert len(log.statements) >= 8
    async with engine.connect() as connection:
        for statement, parameters in zip(log.statements, log.parameters, strict=True):
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            lines = "\n".join(line for (line,) in plan)
            assert not re.search("Seq Scan on (users|outbox_mails|mail_tokens)", lines), lines
    await database.close()
    await engine.dispose()

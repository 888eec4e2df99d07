"""Changing, deleting and purging an account never scan a large table."""

import re

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.accounts.deletion.conftest import delete_account
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import StatementLog, administer
from tests.support.factories import PASSWORD

from wxc.accounts.deletion import service
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.worker.account_deletion import AccountPurger

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

BIG = "users|posts|follows|post_likes|blocks|mutes|sessions|mail_tokens|used_usernames"
_FILL = (
    """
    INSERT INTO users (id, username, email, password_hash, created_at)
    SELECT gen_random_uuid(), 'many_' || n, 'many_' || n || '@example.com',
           (SELECT password_hash FROM users WHERE username = 'noise_1'), now()
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO used_usernames (name, user_id, taken_at)
    SELECT username, id, now() FROM users WHERE username LIKE 'many_%'
    """,
    """
    CREATE TEMPORARY TABLE pairs AS
    SELECT one.id AS one, other.id AS other
    FROM generate_series(1, 20000) n CROSS JOIN generate_series(1, 2) further
    JOIN users one ON one.username = 'many_' || n
    JOIN users other ON other.username = 'many_' || CASE n % 10 WHEN 0 THEN 1 ELSE n + further END
    WHERE one.id <> other.id
    """,
    """
    INSERT INTO follows (id, follower_id, followed_id, created_at)
    SELECT gen_random_uuid(), one, other, now() FROM pairs ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO blocks (id, blocker_id, blocked_id, created_at)
    SELECT gen_random_uuid(), one, other, now() FROM pairs ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO mutes (id, muter_id, muted_id, created_at)
    SELECT gen_random_uuid(), one, other, now() FROM pairs ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO posts (id, author_id, body, created_at)
    SELECT gen_random_uuid(), one, 'hello', now() FROM pairs
    """,
    """
    INSERT INTO post_likes (id, user_id, post_id, created_at)
    SELECT gen_random_uuid(), pairs.other, posts.id, now()
    FROM pairs JOIN posts ON posts.author_id = pairs.one ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO sessions
        (id, user_id, created_at, last_used_at, idle_until, expires_at)
    SELECT gen_random_uuid(), id, now(), now(), now(), now() FROM users
    """,
    """
    INSERT INTO mail_tokens (mail_id, user_id, kind, address, digest, expires_at)
    SELECT gen_random_uuid(), id, 'password_reset', email, sha256(email::bytea),
           now() + interval '1 hour'
    FROM users
    """,
    """
    UPDATE users SET
        followers_count = (SELECT count(*) FROM follows WHERE followed_id = users.id),
        following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id)
    """,
    """
    UPDATE posts SET
        likes_count = (SELECT count(*) FROM post_likes WHERE post_id = posts.id)
    """,
    "VACUUM ANALYZE",
)


async def test_no_statement_scans_a_large_table(
    config: Config, fresh_database_url: str, redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In production 1,000; the tables of this test are smaller.
    monkeypatch.setattr(service, "MAX_EDGES", 100)
    monkeypatch.setattr(service, "_MAX_ROWS", 100)
    await administer(fresh_database_url, *_FILL)
    config = config.model_copy(update={"database_url": fresh_database_url})
    engine = create_async_engine(fresh_database_url, poolclass=NullPool)
    async with running_app(config) as app, Browser(app) as ada:
        await ada.log_in("many_1")  # has 2,000 followers
        change = {"username": "countess", "current_password": PASSWORD}
        email = {"email": "countess@example.org", "current_password": PASSWORD}
        purger = AccountPurger(config, app.state.services.database)
        with StatementLog().watching(app.state.services.database) as log:
            assert (await ada.put("/settings/username", json=change)).status_code == 200
            assert (await ada.put("/settings/email", json=email)).status_code == 202
            assert await delete_account(ada) == 204
            batches = 0
            while await purger.run_once():
                batches += 1
        assert batches > 4

    async with engine.connect() as connection:
        for statement, parameters in zip(log.statements, log.parameters, strict=True):
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            lines = "\n".join(line for (line,) in plan)
            assert not re.search(rf"Seq Scan on ({BIG})", lines), f"{statement}\n{lines}"
    await engine.dispose()

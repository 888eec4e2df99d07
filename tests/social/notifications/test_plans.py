"""The cost of reading notifications does not grow with their number."""

import re
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import StatementLog, administer

from wxc.core.config import Config
from wxc.core.redis import RedisClient

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

_BIG_TABLE_SCAN = re.compile(r"Seq Scan on (users|posts|comments|notifications)")
# many_1 has a post with 20,000 likes, and 300 other notifications among and before those likes;
# many_2 has ungrouped notifications only; the others are noise.
_FILL = (
    """
    INSERT INTO users (id, username, email, password_hash, created_at)
    SELECT gen_random_uuid(), 'many_' || n, 'many_' || n || '@example.com',
           (SELECT password_hash FROM users WHERE username = 'noise_1'), now()
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO posts (id, author_id, body, created_at)
    SELECT gen_random_uuid(), id, 'hello', now() FROM users WHERE username LIKE 'many_%'
    """,
    """
    CREATE FUNCTION notification_id(number int) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
    SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid $$
    """,
    """
    INSERT INTO notifications
    (id, recipient_id, type, actor_id, subject_id, group_id, post_id, created_at)
    SELECT notification_id(n * 3), popular.id, 'post_like', fan.id, posts.id, posts.id, posts.id,
           now()
    FROM users popular JOIN posts ON author_id = popular.id
    CROSS JOIN generate_series(2, 20000) n JOIN users fan ON fan.username = 'many_' || n
    WHERE popular.username = 'many_1'
    """,
    """
    INSERT INTO notifications
    (id, recipient_id, type, actor_id, subject_id, group_id, post_id, created_at)
    SELECT notification_id(n * 198 + 1), popular.id, 'post_comment', fan.id,
           notification_id(n * 198 + 1), notification_id(n * 198 + 1), posts.id, now()
    FROM users popular JOIN posts ON author_id = popular.id
    CROSS JOIN generate_series(2, 301) n JOIN users fan ON fan.username = 'many_' || n
    WHERE popular.username = 'many_1'
    """,
    """
    INSERT INTO notifications
    (id, recipient_id, type, actor_id, subject_id, group_id, post_id, created_at)
    SELECT gen_random_uuid(), recipient.id, 'post_comment', fan.id, gen_random_uuid(),
           gen_random_uuid(), posts.id, now()
    FROM generate_series(2, 19990) n JOIN users recipient ON recipient.username = 'many_' || n
    JOIN posts ON author_id = recipient.id
    CROSS JOIN generate_series(1, 4) m JOIN users fan ON fan.username = 'many_' || (n + m)
    """,
    "UPDATE notifications SET read_at = now() WHERE id < notification_id(3000)",
    "VACUUM ANALYZE",
)


@pytest.fixture
async def app(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[FastAPI]:
    await administer(fresh_database_url, *_FILL)
    # Polls for ended sessions would be among the statements explained below.
    wired = {"database_url": fresh_database_url, "revocation_poll_interval": 600}
    async with running_app(config.model_copy(update=wired)) as app:
        yield app


@pytest.fixture
async def connection(fresh_database_url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(fresh_database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def explain(connection: AsyncConnection, log: StatementLog) -> list[str]:
    """The plans of the logged statements, executed again."""
    plans = []
    for statement, parameters in zip(log.statements, log.parameters, strict=True):
        rows = await connection.exec_driver_sql(f"EXPLAIN ANALYZE {statement}", parameters)
        plans.append("\n".join(row[0] for row in rows))
    return plans


async def test_reading_notifications_never_scans_a_big_table(
    app: FastAPI, connection: AsyncConnection
) -> None:
    for name in ("many_1", "many_2"):
        async with Browser(app) as browser:
            await browser.log_in(name)
            first = (await browser.get("/notifications")).json()
            assert len(first["items"]) == (20 if name == "many_1" else 4)
            paths = ["", "?unread=true", "?limit=100", f"?cursor={first['prev_cursor']}"]
            paths += [f"?cursor={first['next_cursor']}"] if first["next_cursor"] else []
            for path in paths:
                with StatementLog().watching(app.state.services.database) as log:
                    answer = await browser.get(f"/notifications{path}")
                assert answer.status_code == 200, answer.text
                plans = await explain(connection, log)
                assert len(plans) == 2
                for plan in plans:
                    assert not _BIG_TABLE_SCAN.search(plan), (path, plan)


async def test_a_group_of_20000_notifications_is_listed_once(
    app: FastAPI, connection: AsyncConnection
) -> None:
    async with Browser(app) as browser:
        await browser.log_in("many_1")
        seen: list[dict[str, object]] = []
        query = "?limit=100"
        while query:
            page = (await browser.get(f"/notifications{query}")).json()
            seen += page["items"]
            query = f"?limit=100&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert len(seen) == len({str(group["id"]) for group in seen}) == 301
    (likes,) = (group for group in seen if group["type"] == "post_like")
    assert likes["count"] == 10_000  # of 19,999
    assert page["unread_count"] == 99

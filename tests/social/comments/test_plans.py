"""Query plans on a large database: the cost of reading a page of a thread is bounded."""

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

_BIG_TABLE_SCAN = re.compile(r"Seq Scan on (users|posts|comments|comment_likes)")
_ROWS = re.compile(r"Index (?:Only )?Scan.* on (?:comments|users) .*rows=(\d+) loops=(\d+)\)")
MAX_ROWS = 40_000
"""Rows read for one response: up to 500 items, each with its author, replies and blocks."""
_FILL = (
    """
    INSERT INTO users (id, username, email, password_hash, created_at)
    SELECT gen_random_uuid(), 'many_' || n, 'many_' || n || '@example.com',
           (SELECT password_hash FROM users WHERE username = 'noise_1'), now()
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO posts (id, author_id, body, created_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, users.id, 'hello', now()
    FROM generate_series(1, 2000) n JOIN users ON username = 'many_' || n
    """,
    # The first post has 10,000 comments: one has 5,000 replies, 39 start reply chains of depth 50.
    """
    CREATE FUNCTION comment_id(post int, place int) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT
    (lpad(to_hex(post), 8, '0') || '-' || lpad(to_hex(place / 65536), 4, '0') || '-7000-8000-'
     || lpad(to_hex(place), 12, '0'))::uuid $$
    """,
    """
    CREATE TABLE tree AS
    SELECT 1 AS post, n AS place, NULL::int AS parent, 0 AS depth FROM generate_series(1, 10000) n
    UNION ALL SELECT 1, 20000 + n, 5, 1 FROM generate_series(1, 5000) n
    UNION ALL
    SELECT 1, 100000 + top * 100 + depth,
           CASE depth WHEN 1 THEN top ELSE 100000 + top * 100 + depth - 1 END, depth
    FROM generate_series(1, 40) top CROSS JOIN generate_series(1, 50) depth WHERE top <> 5
    UNION ALL SELECT post, n, NULL, 0 FROM generate_series(3, 2000) post, generate_series(1, 20) n
    """,
    # The second post has 50 comments, 2,500 replies to them and 50,000 replies to those.
    """
    INSERT INTO tree SELECT 2, n, CASE WHEN n > 50 THEN (n - 1) / 50 END,
           CASE WHEN n <= 50 THEN 0 WHEN n <= 2550 THEN 1 ELSE 2 END
    FROM generate_series(1, 52550) n
    """,
    """
    INSERT INTO comments (id, post_id, parent_id, depth, author_id, body, created_at)
    SELECT comment_id(post, place), ('00000000-0000-7000-8000-' || lpad(post::text, 12, '0'))::uuid,
           comment_id(post, parent), depth, users.id, 'hello', now()
    FROM tree JOIN users ON username = 'many_' || (place % 20000 + 1)
    """,
    """
    UPDATE comments SET children_count = n, replies_count = n
    FROM (SELECT parent_id, count(*) n FROM comments GROUP BY 1) c WHERE c.parent_id = comments.id
    """,
    """
    INSERT INTO comment_likes (id, user_id, comment_id, created_at)
    SELECT gen_random_uuid(), users.id, comments.id, now()
    FROM comments JOIN users ON username = 'many_2' WHERE depth < 2
    """,
    """
    INSERT INTO blocks (id, blocker_id, blocked_id, created_at)
    SELECT gen_random_uuid(), one.id, other.id, now() FROM users one
    JOIN users other ON other.username = 'many_' || (substr(one.username, 6)::int + 100)
    WHERE one.username LIKE 'many_%' AND one.username < 'many_4'
    """,
    "VACUUM ANALYZE",
)
_POST = "/posts/00000000-0000-7000-8000-000000000001"
_BROAD = "/posts/00000000-0000-7000-8000-000000000002"
_POPULAR = "/comments/00000001-0000-7000-8000-000000000005"


@pytest.fixture
async def app(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[FastAPI]:
    await administer(fresh_database_url, *_FILL)
    async with running_app(config.model_copy(update={"database_url": fresh_database_url})) as app:
        yield app


async def plans(connection: AsyncConnection, log: StatementLog) -> list[str]:
    """The lines of the plans, except nodes that were not executed."""
    lines: list[str] = []
    for statement, parameters in zip(log.statements, log.parameters, strict=True):
        plan = await connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", parameters
        )
        lines += [line for (line,) in plan if "(never executed)" not in line]
    return lines


@pytest.mark.parametrize("viewer", [None, "many_2"])
async def test_reading_a_thread_never_scans_a_big_table(app: FastAPI, viewer: str | None) -> None:
    engine = create_async_engine(app.state.services.config.database_url, poolclass=NullPool)
    async with Browser(app) as browser, engine.connect() as connection:
        await connection.exec_driver_sql("SET jit = off")  # as on the application's connections
        if viewer:
            await browser.log_in(viewer)
        for path in (
            f"{_POST}/comments",
            f"{_POST}/comments?sort=newest",
            f"{_POST}/comments?limit=100&depth=20&branch=50",
            f"{_POST}/comments?limit=100&depth=20&branch=50&sort=newest",
            f"{_BROAD}/comments?limit=100&depth=20&branch=50",
            f"{_POPULAR}/replies",
            f"{_POPULAR}/replies?sort=newest&limit=100",
            f"{_POPULAR}",
            f"{_POST}/likes",
        ):
            with StatementLog().watching(app.state.services.database) as log:
                answer = await browser.get(path)
            assert answer.status_code == 200, answer.text
            lines = await plans(connection, log)
            assert [line for line in lines if _BIG_TABLE_SCAN.search(line)] == [], path
            read = sum(int(r) * int(n) for line in lines for r, n in _ROWS.findall(line))
            assert 0 < read < MAX_ROWS or "likes" in path, (path, read)
    await engine.dispose()

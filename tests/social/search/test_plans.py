"""The cost of a search does not grow with the number of users."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

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

_BIG_TABLE_SCAN = re.compile(r"Seq Scan on users")
_ROWS = re.compile(r"Scan.* on users .*rows=(\d+) loops=(\d+)\)")
_FILL = (
    # All usernames have a common prefix, a third of the users have display names with one, and a
    # third have random display names. A few have an accented word in the middle of a long name.
    """
    INSERT INTO users (id, username, email, password_hash, display_name, created_at)
    SELECT gen_random_uuid(), 'many_' || n, 'many_' || n || '@example.com',
           (SELECT password_hash FROM users WHERE username = 'noise_1'),
           CASE n % 3 WHEN 0 THEN 'Common ' || n WHEN 1 THEN translate(md5(n::text), '0123456789',
           'ghijklmnop') END, now()
    FROM generate_series(1, 40000) n
    """,
    """
    UPDATE users SET display_name = 'The trusted González money changers ' || username
    WHERE username LIKE 'many_100%'
    """,
    "VACUUM ANALYZE",
)


@pytest.fixture
async def app(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[FastAPI]:
    """An application whose database is large enough for the planner to use indexes."""
    await administer(fresh_database_url, *_FILL)
    many = {"database_url": fresh_database_url, "limit_searches_per_account": "1000 per minute"}
    async with running_app(config.model_copy(update=many)) as app:
        yield app


async def test_search_never_scans_the_users_table(app: FastAPI) -> None:
    engine = create_async_engine(app.state.services.config.database_url, poolclass=NullPool)
    async with Browser(app) as browser, engine.connect() as connection:
        for viewer in (None, "many_1"):
            if viewer:
                await browser.log_in(viewer)
            for text, max_rows in (
                ("many_123", 10_300),
                ("many", 300),
                ("m", 300),
                ("common", 300),
                ("c", 300),
                ("mnay_31313", 2000),
                ("comon 27", 10_300),
                ("no such name", 2000),
                ("gonzalez", 2000),
                ("González money", 10_300),
                ("money", 2000),
                ("%_%", 100),
            ):
                page = await _fetch_with_bounded_plan(app, browser, connection, text, "", max_rows)
                for cursor in (page["next_cursor"], page["prev_cursor"]):
                    if cursor:
                        at = f"&cursor={cursor}"
                        await _fetch_with_bounded_plan(app, browser, connection, text, at, max_rows)
    await engine.dispose()


async def _fetch_with_bounded_plan(
    app: FastAPI, browser: Browser, connection: AsyncConnection, text: str, at: str, max_rows: int
) -> dict[str, Any]:
    """Fetch a page; its plan must not scan the table or read more than `max_rows` users."""
    with StatementLog().watching(app.state.services.database) as log:
        answer = await browser.get(f"/users?limit=100&q={quote(text)}{at}")
    assert answer.is_success, answer.text
    statement, parameters = next(
        one for one in zip(log.statements, log.parameters, strict=True) if "matches" in one[0]
    )
    found = await connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", parameters
    )
    plan = [line for (line,) in found if "(never executed)" not in line]
    rows = sum(int(rows) * int(loops) for line in plan for rows, loops in _ROWS.findall(line))
    assert not any(_BIG_TABLE_SCAN.search(line) for line in plan), (text, at, "\n".join(plan))
    assert rows <= max_rows, (text, at, "\n".join(plan))
    page: dict[str, Any] = answer.json()
    return page

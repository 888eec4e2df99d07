"""Query plans on a filled database: no scan of a big table, generic plans for frequent reads."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import StatementLog, administer
from wxc.accounts.export.service import exporting
from wxc.core.config import Config
from wxc.core.redis import RedisClient

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

_BIG_TABLE_SCAN = re.compile(
    r"Seq Scan on (users|posts|follows|used_usernames|exchange\w*|rate_events)"
)
_MEMBER_READ = re.compile(r"pk_users on users.* rows=([\d.]+) loops=(\d+)")
_FILL = (
    # 30,000 members; many_2 follows 60 of them, many_3 2,000, and 3,000 follow many_1.
    """
    INSERT INTO users (id, username, email, password_hash, created_at)
    SELECT gen_random_uuid(), 'many_' || n, 'many_' || n || '@example.com',
           (SELECT password_hash FROM users WHERE username = 'noise_1'), now()
    FROM generate_series(1, 30000) n
    """,
    """
    INSERT INTO follows (id, follower_id, followed_id, created_at)
    SELECT gen_random_uuid(), follower.id, followed.id, now()
    FROM (VALUES ('many_2', 10, 70), ('many_3', 10, 2010)) followers (username, first, last)
    JOIN users follower USING (username)
    JOIN generate_series(1, 30000) n ON n >= first AND n < last
    JOIN users followed ON followed.username = 'many_' || n
    UNION ALL
    SELECT gen_random_uuid(), follower.id, followed.id, now()
    FROM generate_series(4, 3000) n
    JOIN users follower ON follower.username = 'many_' || n
    JOIN users followed ON followed.username = 'many_1'
    UNION ALL
    SELECT gen_random_uuid(), follower.id, followed.id, now()
    FROM generate_series(5000, 30000) n CROSS JOIN generate_series(1, 3) further
    JOIN users follower ON follower.username = 'many_' || n
    JOIN users followed ON followed.username = 'many_' || (n - further)
    """,
    """
    UPDATE users SET following_count = counted.n
    FROM (SELECT follower_id AS id, count(*) AS n FROM follows GROUP BY 1) counted
    WHERE users.id = counted.id
    """,
    """
    INSERT INTO posts (id, author_id, body, created_at)
    SELECT gen_random_uuid(), id, 'hello', now()
    FROM users CROSS JOIN generate_series(1, 4) WHERE username LIKE 'many_%'
    """,
    """
    INSERT INTO used_usernames (name, user_id, taken_at)
    SELECT lower(username), id, created_at FROM users WHERE username LIKE 'many_%'
    """,
    # Every third member has a board; they are all over the world, 5 % in London, 1 % offer VND.
    """
    INSERT INTO exchanges (id, owner_id, name, base_currency, location, opening_hours,
                           valid_for_hours, confirmed_at, updated_at, version, created_at)
    SELECT gen_random_uuid(), id, 'One of many', 'SGD',
           CASE WHEN random() < 0.05
                THEN ST_MakePoint(-0.1278 + random() / 20, 51.5074 + random() / 20)
                ELSE ST_MakePoint(random() * 360 - 180, random() * 180 - 90) END::geography,
           '[]', 24, now(), now(), 1, now()
    FROM users WHERE username ~ '^many_[0-9]*[147]$'
    """,
    """
    INSERT INTO exchange_confirmations (id, exchange_id, at, base_currency, valid_for_hours)
    SELECT gen_random_uuid(), id, confirmed_at - n * interval '1 day', 'SGD', 24
    FROM exchanges CROSS JOIN generate_series(0, 9) n WHERE name = 'One of many'
    """,
    """
    INSERT INTO exchange_rates (id, exchange_id, currency, base_currency, unit, we_sell, valid_from)
    SELECT gen_random_uuid(), id, code, 'SGD', 1, random()::numeric(10, 4) + 1, now()
    FROM exchanges
    CROSS JOIN unnest(ARRAY['JPY', 'USD', 'EUR', 'GBP', 'VND']) code
    WHERE name = 'One of many' AND (code <> 'VND' OR random() < 0.01)
    """,
    """
    INSERT INTO rate_events
        (id, exchange_id, seq, at, currency, base_currency, unit, we_sell, hash)
    SELECT gen_random_uuid(), exchanges.id, n, now() - n * interval '1 hour', 'JPY', 'SGD', 1, n,
           sha256('')
    FROM exchanges JOIN users ON users.id = owner_id CROSS JOIN generate_series(2, 500) n
    WHERE username IN ('many_1', 'many_4', 'many_7', 'many_11')
    """,
    """
    UPDATE users SET has_exchange = true FROM exchanges WHERE owner_id = users.id
    """,
    # One member in a hundred is suspended, including one whom many_2 follows.
    "UPDATE users SET suspended_at = now() WHERE username ~ '^many_[0-9]*50$'",
    "VACUUM ANALYZE",
)


@pytest.fixture
async def app(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[FastAPI]:
    """An application on a database that is large enough for the planner to prefer indexes."""
    await administer(fresh_database_url, *_FILL)
    async with running_app(config.model_copy(update={"database_url": fresh_database_url})) as app:
        yield app


async def executed(connection: AsyncConnection, log: StatementLog) -> list[str]:
    """The lines of the plans that were executed."""
    lines: list[str] = []
    for statement, parameters in zip(log.statements, log.parameters, strict=True):
        if statement.startswith("INSERT INTO audit_events"):
            continue  # the same event cannot be written twice
        plan = await connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", parameters
        )
        lines += [line for (line,) in plan if "(never executed)" not in line]
    return lines


async def scans(connection: AsyncConnection, log: StatementLog) -> list[str]:
    """The lines of the plans that scan a big table."""
    return [line for line in await executed(connection, log) if _BIG_TABLE_SCAN.search(line)]


async def members_read(connection: AsyncConnection, log: StatementLog) -> float:
    """The number of rows of `users` that were read by primary key."""
    found = map(_MEMBER_READ.search, await executed(connection, log))
    return sum(float(one[1]) * int(one[2]) for one in found if one)


async def replanned(app: FastAPI) -> list[str]:
    """The statements that the only read connection plans again for each execution.

    PostgreSQL plans the first five executions, then keeps a generic plan unless it costs more.
    """
    async with app.state.services.database._pool.acquire() as connection:
        found = await connection.fetch(
            "SELECT statement FROM pg_prepared_statements WHERE custom_plans > 5"
        )
    return [row["statement"] for row in found]


async def test_reads_do_not_scan_big_tables_and_frequent_ones_use_generic_plans(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH_SIZE", 50)  # or scans would be cheaper
    engine = create_async_engine(app.state.services.config.database_url, poolclass=NullPool)
    async with Browser(app) as browser, engine.connect() as connection:
        post = (await browser.get("/users/many_1/posts")).json()["items"][0]["id"]
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        for username in ("many_2", "many_3"):
            await browser.log_in(username)
            for path in (
                "/feeds",
                "/feeds?limit=100",
                "/users/many_1",
                "/users/many_1/posts",
                "/users/many_1/followers",
                "/users/many_1/following",
                f"/posts/{post}",
                "/auth-check",
                "/settings",
                "/settings/export",
                "/users/many_1/exchange",
                f"/users/many_1/exchange?as_of={moment}",
                "/users/many_1/exchange/quote?from=SGD&to=JPY&amount=5",
                "/users/many_1/exchange/history?currency=JPY",
                "/users/many_1/exchange/history?currency=JPY&group=day",
                "/exchanges?lat=51.5&lon=-0.1",
                "/exchanges?lat=51.5&lon=-0.1&from=SGD&to=JPY&amount=5",
                "/exchanges?from=SGD&to=VND&amount=5",
            ):
                with StatementLog().watching(app.state.services.database) as log:
                    answer = await browser.get(path)
                assert answer.is_success, answer.text
                assert log.statements
                assert await scans(connection, log) == [], (username, path)
        await browser.log_in("many_2")
        with StatementLog().watching(app.state.services.database) as log:
            page = (await browser.get("/feeds")).json()["items"]
        # Only the reader and the authors of the page and the next post, not all followed members.
        assert 0 < await members_read(connection, log) <= len(page) + 3
    await engine.dispose()
    # In the same test, since filling a database takes longer than the rest.
    single_connection = app.state.services.config.model_copy(update={"database_pool_size": 1})
    async with running_app(single_connection) as app, Browser(app) as browser:
        await browser.log_in("many_2")
        second = (await browser.get("/feeds")).json()["next_cursor"]
        for path in (
            "/feeds",
            f"/feeds?cursor={second}",
            "/users/many_1/posts",
            f"/posts/{post}/comments",
            "/notifications",
            "/users/many_1/exchange/quote?from=SGD&to=JPY&amount=5",
            "/exchanges?lat=51.5&lon=-0.1&from=SGD&to=JPY&amount=5",
        ):
            for _ in range(8):
                assert (await browser.get(path)).is_success
            assert await replanned(app) == [], path

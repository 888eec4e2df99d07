"""A worker that is killed in the middle of a batch leaves correct counters."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.accounts.deletion.conftest import DRIFT, delete_account
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import administer
from tests.support.factories import make_user
from tests.support.social_graph import scalar

from wxc.core.config import Config
from wxc.core.redis import RedisClient

_FILL = (
    """
    INSERT INTO users (id, username, email, password_hash, following_count, created_at)
    SELECT gen_random_uuid(), 'many_' || n, 'many_' || n || '@example.com', 'x', 1, now()
    FROM generate_series(1, 20000) n
    """,
    """
    INSERT INTO follows (id, follower_id, followed_id, created_at)
    SELECT gen_random_uuid(), fan.id, ada.id, now()
    FROM users fan, users ada WHERE fan.username LIKE 'many_%' AND ada.username = 'ada'
    """,
    "UPDATE users SET followers_count = 20000 WHERE username = 'ada'",
    "ANALYZE",
)
_LEFT = "SELECT count(*) FROM follows JOIN users ON users.id = followed_id WHERE username = 'ada'"


@pytest.mark.faults
async def test_repeatedly_killed_worker_completes_the_deletion(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> None:
    engine = create_async_engine(fresh_database_url)
    async with engine.begin() as connection:
        await make_user(connection, "ada")
    await administer(fresh_database_url, *_FILL)
    config = config.model_copy(update={"database_url": fresh_database_url})
    async with running_app(config) as app, Browser(app) as ada:
        await ada.log_in("ada")
        assert await delete_account(ada) == 204
    assert await scalar(engine, _LEFT) == 19_000

    for _ in range(3):
        await _run_and_kill_worker(config, engine)
        assert await scalar(engine, DRIFT) == 0
    process = await _start_worker(config)
    async with asyncio.timeout(60):
        while await scalar(engine, _LEFT):  # noqa: ASYNC110 - waits for another process
            await asyncio.sleep(0.05)
    process.terminate()

    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert await scalar(engine, DRIFT) == 0
    await engine.dispose()


async def _run_and_kill_worker(config: Config, engine: AsyncEngine) -> None:
    """Start a worker and kill it after its first batch."""
    before = await scalar(engine, _LEFT)
    process = await _start_worker(config)
    async with asyncio.timeout(20):
        while await scalar(engine, _LEFT) == before:  # noqa: ASYNC110 - waits for another process
            await asyncio.sleep(0.001)
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    async with engine.begin() as connection:  # as if the lease had ended
        due = "UPDATE users SET erase_at = suspended_at WHERE erase_at IS NOT NULL"
        await connection.execute(text(due))


async def _start_worker(config: Config) -> asyncio.subprocess.Process:
    settings = dict(os.environ) | {
        "ENVIRONMENT": "development",
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": "s" * 40,
        "JWT_SECRET_KEY": "j" * 40,
        "COOKIE_SECURE": "false",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return await asyncio.create_subprocess_exec("wxc", "worker", env=settings)

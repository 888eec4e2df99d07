"""Deletions concurrent with other deletions, follows and posts."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.accounts.deletion.conftest import DRIFT, delete_account
from tests.support.browser import Browser
from tests.support.social_graph import app, engine, friends, real, scalar

from wxc.core.config import Config
from wxc.worker.account_deletion import AccountPurger

__all__ = ["app", "engine", "friends", "real"]
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
TRACES = """
    WITH gone AS (SELECT id FROM users WHERE erase_at IS NOT NULL)
    SELECT (SELECT count(*) FROM follows WHERE follower_id IN (TABLE gone))
    + (SELECT count(*) FROM follows WHERE followed_id IN (TABLE gone))
    + (SELECT count(*) FROM post_likes WHERE user_id IN (TABLE gone))
    + (SELECT count(*) FROM posts WHERE author_id IN (TABLE gone))
"""


async def purge(app: FastAPI, real: Config) -> None:
    purger = AccountPurger(real, app.state.services.database)
    while await purger.run_once():
        pass


async def test_concurrent_deletions_of_an_account_succeed_once(
    friends: list[Browser], engine: AsyncEngine
) -> None:
    ada, *_ = friends

    outcomes = await asyncio.gather(*(delete_account(ada) for _ in range(4)))

    assert outcomes.count(204) == 1
    assert set(outcomes) == {204, "session_expired"}
    assert await scalar(engine, DRIFT) == 0


async def test_concurrent_deletions_of_mutual_followers_do_not_deadlock(
    app: FastAPI, real: Config, friends: list[Browser], engine: AsyncEngine
) -> None:
    before = await scalar(engine, DEADLOCKS)

    assert await asyncio.gather(*map(delete_account, friends)) == [204] * len(friends)

    await purge(app, real)
    assert await scalar(engine, DRIFT) == 0
    assert await scalar(engine, TRACES) == 0
    assert await scalar(engine, DEADLOCKS) == before


async def test_writes_concurrent_with_a_deletion_leave_no_rows(
    app: FastAPI, real: Config, friends: list[Browser], engine: AsyncEngine
) -> None:
    ada, *others = friends

    async def follow_and_unfollow(browser: Browser) -> list[httpx.Response]:
        return [
            await browser.request(method, f"/users/{ada.username}/follow")
            for method in ("DELETE", "POST", "DELETE", "POST")
        ]

    outcome, answers = await asyncio.gather(
        delete_account(ada),
        asyncio.gather(*map(follow_and_unfollow, others), *(_write(ada) for _ in range(3))),
    )

    assert outcome == 204
    assert {answer.status_code for group in answers for answer in group} <= {200, 201, 401, 404}
    await purge(app, real)
    assert await scalar(engine, DRIFT) == 0
    assert await scalar(engine, TRACES) == 0


async def test_several_workers_purge_one_account(
    app: FastAPI,
    real: Config,
    friends: list[Browser],
    engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wxc.accounts.deletion.service.MAX_EDGES", 2)
    for browser in friends[:3]:
        assert await delete_account(browser) == 204

    await asyncio.gather(*(purge(app, real) for _ in range(3)))

    assert await scalar(engine, DRIFT) == 0
    assert await scalar(engine, TRACES) == 0


async def _write(browser: Browser) -> list[httpx.Response]:
    return [await browser.post("/posts", json={"body": "the last word"})]

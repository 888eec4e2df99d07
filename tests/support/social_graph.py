"""Fixtures for races: six members who know one another, on connections of their own."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.factories import make_follow, make_like, make_post, make_user
from wxc.core.config import Config
from wxc.core.redis import RedisClient


@pytest.fixture
def real(mailing: Config, fresh_database_url: str, redis: RedisClient) -> Config:
    """The configuration of an application and a worker whose transactions are real."""
    return mailing.model_copy(update={"database_url": fresh_database_url, "log_level": "warning"})


@pytest.fixture
async def app(real: Config) -> AsyncIterator[FastAPI]:
    async with running_app(real) as app:
        yield app


@pytest.fixture
async def engine(fresh_database_url: str) -> AsyncIterator[AsyncEngine]:
    """To look at what was committed."""
    engine = create_async_engine(fresh_database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def circle(app: FastAPI, engine: AsyncEngine) -> AsyncIterator[list[Browser]]:
    """All follow one another and like one another's posts; all are signed in."""
    names = [f"member_{number}" for number in range(6)]
    async with engine.begin() as connection:
        ids = [await make_user(connection, name) for name in names]
        posts = {author: await make_post(connection, author) for author in ids}
        for one, other in itertools.permutations(ids, 2):
            await make_follow(connection, one, other)
            await make_like(connection, one, posts[other])
    async with AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(Browser(app)) for _ in names]
        for browser, name, user_id in zip(browsers, names, ids, strict=True):
            browser.username, browser.id = name, user_id
            assert (await browser.log_in(name)).is_success
        yield browsers


async def scalar(engine: AsyncEngine, statement: str) -> int:
    """The number that the statement finds."""
    async with engine.connect() as connection:
        return int(await connection.scalar(text(statement)) or 0)

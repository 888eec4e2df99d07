"""Fixtures for races: six users who follow one another, in transactions that commit."""

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
def real(mail_config: Config, fresh_database_url: str, redis: RedisClient) -> Config:
    """The configuration of an application and a worker whose transactions are real."""
    return mail_config.model_copy(
        update={"database_url": fresh_database_url, "log_level": "warning"}
    )


@pytest.fixture
async def app(real: Config) -> AsyncIterator[FastAPI]:
    async with running_app(real) as app:
        yield app


@pytest.fixture
async def engine(fresh_database_url: str) -> AsyncIterator[AsyncEngine]:
    """A separate engine, to read committed rows."""
    engine = create_async_engine(fresh_database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def friends(app: FastAPI, engine: AsyncEngine) -> AsyncIterator[list[Browser]]:
    """Six signed-in users who all follow each other and like each other's posts."""
    names = [f"member_{number}" for number in range(6)]
    async with engine.begin() as connection:
        ids = [await make_user(connection, name) for name in names]
        posts = {author: await make_post(connection, author) for author in ids}
        for user, other in itertools.permutations(ids, 2):
            await make_follow(connection, user, other)
            await make_like(connection, user, posts[other])
    async with AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(Browser(app)) for _ in names]
        for browser, name, user_id in zip(browsers, names, ids, strict=True):
            browser.username, browser.id = name, user_id
            assert (await browser.log_in(name)).is_success
        yield browsers


async def scalar(engine: AsyncEngine, statement: str) -> int:
    """The number that the statement returns; 0 for NULL."""
    async with engine.connect() as connection:
        return int(await connection.scalar(text(statement)) or 0)

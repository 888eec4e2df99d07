import contextlib
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from tests.support.app import registered_browser, running_app
from tests.support.boards import board
from tests.support.browser import Browser
from tests.support.limits import UNLIMITED

from wxc.core.config import Config
from wxc.core.redis import RedisClient


@pytest.fixture
def live_config(config: Config, fresh_database_url: str, redis: RedisClient) -> Config:
    """A database of its own, so that transactions are committed, and frequent polls."""
    changed = {"database_url": fresh_database_url, "revocation_poll_interval": 0.2, **UNLIMITED}
    return config.model_copy(update=changed)


@pytest.fixture
async def first_app(live_config: Config) -> AsyncIterator[FastAPI]:
    async with running_app(live_config) as app:
        yield app


@pytest.fixture
async def owner_and_visitor(first_app: FastAPI) -> AsyncIterator[tuple[Browser, Browser]]:
    """The owner `tan`, whose board shows yen and dollars, and an anonymous visitor."""
    async with contextlib.AsyncExitStack() as stack:
        owner = await registered_browser(first_app, stack, "tan")
        await owner.put("/exchange", json=board())
        yield owner, await stack.enter_async_context(Browser(first_app))

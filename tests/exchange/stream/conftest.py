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
    """Real commits, and an instance that polls often."""
    changed = {"database_url": fresh_database_url, "revocation_poll_interval": 0.2, **UNLIMITED}
    return config.model_copy(update=changed)


@pytest.fixture
async def first_app(live_config: Config) -> AsyncIterator[FastAPI]:
    async with running_app(live_config) as app:
        yield app


@pytest.fixture
async def changer_and_visitor(first_app: FastAPI) -> AsyncIterator[tuple[Browser, Browser]]:
    """The changer, whose board shows yen and dollars, and somebody without an account."""
    async with contextlib.AsyncExitStack() as stack:
        changer = await registered_browser(first_app, stack, "tan")
        await changer.put("/exchange", json=board())
        yield changer, await stack.enter_async_context(Browser(first_app))

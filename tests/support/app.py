"""Whole instances of the application: real engines, background tasks, several at once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from wxc.app import create_app
from wxc.core.config import Config


@asynccontextmanager
async def running_app(config: Config) -> AsyncIterator[FastAPI]:
    """An instance that has started and connected to its database."""
    app = create_app(config)
    async with app.router.lifespan_context(app):
        await app.state.services.startup.wait_for_database(app.state.services.database)
        await app.state.services.auth.revocations.poll()
        yield app


async def registered_browser(app: FastAPI, stack: AsyncExitStack, name: str) -> Browser:
    """A browser of a newly registered user, logged in, for as long as the stack lasts."""
    browser = await stack.enter_async_context(Browser(app))
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    await browser.post("/register", json=account)
    await browser.log_in(name)
    return browser

"""Whole instances of the application: real engines, background tasks, several at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from wxc.app import create_app
from wxc.core.config import Config


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[FastAPI]:
    """An instance that has started and reached its database."""
    app = create_app(config)
    async with app.router.lifespan_context(app):
        await app.state.startup.reach(app.state.database)
        await app.state.auth.revocations.poll()
        yield app

"""The queue for hashing passwords: anonymous log-ins cannot take the places of members."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD

from wxc.accounts.auth.passwords import Passwords
from wxc.core.config import Config

ATTEMPTS = 12
ANONYMOUS_PLACES = 6  # of 8: a quarter of the queue is kept for members
CHANGE = {"current_password": PASSWORD, "new_password": "a walk in the rain"}


@pytest.fixture
def config(config: Config) -> Config:
    """A short queue, in which nobody waits too long."""
    return config.model_copy(update={"password_hash_queue": 8, "password_hash_wait": 60})


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def flood(app: FastAPI, ada: Browser) -> AsyncIterator[threading.Event]:
    """The queue, full of anonymous log-ins until the event is set; those beyond it are refused."""
    passwords: Passwords = app.state.services.auth.passwords
    release = threading.Event()
    passwords._pool.submit(release.wait)
    async with AsyncExitStack() as stack:
        crowd = [
            await stack.enter_async_context(Browser(app, address=f"198.51.100.{number}"))
            for number in range(ATTEMPTS)
        ]
        attempts = [
            asyncio.create_task(one.log_in(f"nobody_{number}")) for number, one in enumerate(crowd)
        ]
        await until(
            lambda: (
                passwords.queue_length + [one.done() for one in attempts].count(True) == ATTEMPTS
            )
        )
        yield release
        release.set()
        statuses = [answer.status_code for answer in await asyncio.gather(*attempts)]
        assert statuses.count(401) == ANONYMOUS_PLACES
        assert statuses.count(503) == ATTEMPTS - ANONYMOUS_PLACES


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not reached")


async def served(
    flood: threading.Event, app: FastAPI, request: asyncio.Task[httpx.Response]
) -> int:
    """The status of a request that is sent while the queue is full of log-ins."""
    passwords: Passwords = app.state.services.auth.passwords
    before = passwords.queue_length
    await until(lambda: request.done() or passwords.queue_length > before)
    flood.set()
    return (await request).status_code


async def test_member_can_change_the_password_while_anonymous_logins_fill_the_queue(
    ada: Browser, app: FastAPI, flood: threading.Event
) -> None:
    request = asyncio.create_task(ada.put("/settings/password", json=CHANGE))

    assert await served(flood, app, request) == 204


async def test_known_device_can_log_in_while_anonymous_logins_fill_the_queue(
    ada: Browser, app: FastAPI, flood: threading.Event
) -> None:
    request = asyncio.create_task(ada.log_in("ada"))

    assert await served(flood, app, request) == 200


async def test_device_of_another_account_counts_as_anonymous(
    ada: Browser, app: FastAPI, flood: threading.Event
) -> None:
    assert (await ada.log_in("nobody")).json()["code"] == "hashing_busy"

"""A part of the hashing queue is reserved: anonymous logins cannot fill it."""

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
ANONYMOUS_SLOTS = 6  # of 8: a quarter of the queue is reserved for members
CHANGE = {"current_password": PASSWORD, "new_password": "a walk in the rain"}


@pytest.fixture
def config(config: Config) -> Config:
    """A short queue, with a timeout that the tests do not reach."""
    return config.model_copy(update={"password_hash_queue": 8, "password_hash_wait": 60})


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def flood(app: FastAPI, ada: Browser) -> AsyncIterator[threading.Event]:
    """Fill the queue with anonymous logins until the event is set; the excess is refused."""
    passwords: Passwords = app.state.services.auth.passwords
    release = threading.Event()
    passwords._pool.submit(release.wait)
    async with AsyncExitStack() as stack:
        browsers = [
            await stack.enter_async_context(Browser(app, address=f"198.51.100.{number}"))
            for number in range(ATTEMPTS)
        ]
        attempts = [
            asyncio.create_task(browser.log_in(f"unknown_{number}"))
            for number, browser in enumerate(browsers)
        ]
        await wait_until(
            lambda: passwords.queue_length + sum(attempt.done() for attempt in attempts) == ATTEMPTS
        )
        yield release
        release.set()
        statuses = [answer.status_code for answer in await asyncio.gather(*attempts)]
        assert statuses.count(401) == ANONYMOUS_SLOTS
        assert statuses.count(503) == ATTEMPTS - ANONYMOUS_SLOTS


async def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition was not met within 10 s")


async def status_during_flood(
    flood: threading.Event, app: FastAPI, request: asyncio.Task[httpx.Response]
) -> int:
    """The status of a request that was sent while the queue was full of logins."""
    passwords: Passwords = app.state.services.auth.passwords
    before = passwords.queue_length
    await wait_until(lambda: request.done() or passwords.queue_length > before)
    flood.set()
    return (await request).status_code


async def test_member_can_change_the_password_while_anonymous_logins_fill_the_queue(
    ada: Browser, app: FastAPI, flood: threading.Event
) -> None:
    request = asyncio.create_task(ada.put("/settings/password", json=CHANGE))

    assert await status_during_flood(flood, app, request) == 204


async def test_known_device_can_log_in_while_anonymous_logins_fill_the_queue(
    ada: Browser, app: FastAPI, flood: threading.Event
) -> None:
    request = asyncio.create_task(ada.log_in("ada"))

    assert await status_during_flood(flood, app, request) == 200


async def test_device_of_another_account_counts_as_anonymous(
    ada: Browser, app: FastAPI, flood: threading.Event
) -> None:
    assert (await ada.log_in("unknown")).json()["code"] == "hashing_busy"

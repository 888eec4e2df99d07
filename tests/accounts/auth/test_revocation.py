"""Revoked sessions stay revoked when Redis fails; access is denied if no engine is available."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import func, text, update
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.proxy import Proxy, proxy_to

from wxc.accounts.auth.revocation import SENTINEL, Revocations, revoked_key
from wxc.core.config import Config
from wxc.core.redis import RedisClient, RedisUnavailable
from wxc.models import Session

REGISTRATION = {"username": "ada", "email": "ada@example.com", "password": "a walk in the rain"}
POLL_INTERVAL = 0.2


@dataclass
class Instance:
    """An instance of the application, and the proxies to its engines."""

    app: FastAPI
    redis: Proxy
    database: Proxy

    @property
    def revocations(self) -> Revocations:
        return cast(Revocations, self.app.state.services.auth.revocations)


@asynccontextmanager
async def instance(config: Config, database_url: str) -> AsyncIterator[Instance]:
    async with proxy_to(config.redis_url) as redis, proxy_to(database_url) as database:
        changes: dict[str, Any] = {"redis_url": redis[1], "database_url": database[1]}
        async with running_app(config.model_copy(update=changes)) as app:
            yield Instance(app, redis[0], database[0])


def with_short_intervals(config: Config) -> Config:
    changes = {"redis_timeout": 0.1, "revocation_poll_interval": POLL_INTERVAL}
    return config.model_copy(update=changes)


@pytest.fixture
async def first(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[Instance]:
    async with instance(with_short_intervals(config), fresh_database_url) as first:
        yield first


@pytest.fixture
async def other(
    config: Config, fresh_database_url: str, first: Instance
) -> AsyncIterator[Instance]:
    """A second instance on the same engines."""
    async with instance(with_short_intervals(config), fresh_database_url) as other:
        yield other


@pytest.fixture
async def ada(first: Instance) -> AsyncIterator[Browser]:
    async with Browser(first.app) as browser:
        await browser.post("/register", json=REGISTRATION)
        await browser.log_in("ada", REGISTRATION["password"])
        yield browser


async def status_at(instance: Instance, cookies: dict[str, str]) -> int:
    """The status of /auth-check with these cookies at this instance."""
    async with Browser(instance.app) as browser:
        browser.http.cookies.update(cookies)
        return (await browser.get("/auth-check")).status_code


async def test_logout_revokes_the_session_on_every_instance_immediately(
    ada: Browser, other: Instance
) -> None:
    cookies = dict(ada.http.cookies)
    assert await status_at(other, cookies) == 200

    assert (await ada.post("/logout")).status_code == 204

    assert await status_at(other, cookies) == 401


async def test_session_stays_revoked_after_a_redis_flush(
    ada: Browser, other: Instance, redis: RedisClient
) -> None:
    cookies = dict(ada.http.cookies)
    await ada.post("/logout")
    other.revocations._denied.clear()

    await redis.call(lambda client: client.flushdb())

    assert await status_at(other, cookies) == 401


async def test_concurrent_requests_rehydrate_redis_once_after_a_flush(
    ada: Browser, config: Config, fresh_database_url: str, redis: RedisClient
) -> None:
    cookies = dict(ada.http.cookies)
    # With the usual timeouts, a slow machine would query the database and not notice the flush.
    changes = {"redis_connect_timeout": 10, "revocation_poll_interval": 60}
    async with instance(config.model_copy(update=changes), fresh_database_url) as other:
        await redis.call(lambda client: client.flushdb())

        statuses = await asyncio.gather(*(status_at(other, cookies) for _ in range(20)))

    assert set(statuses) == {200}
    assert other.revocations._rehydrations == 1
    assert await redis.call(lambda client: client.get(SENTINEL)) == "1"


async def test_poll_restores_a_lost_key(
    ada: Browser, first: Instance, other: Instance, redis: RedisClient
) -> None:
    cookies = dict(ada.http.cookies)
    session_id = first.app.state.services.auth.tokens.verify_refresh(cookies["wxc_refresh"])[0]
    await ada.post("/logout")
    await redis.call(lambda client: client.delete(revoked_key(session_id)))
    revocations = other.revocations
    revocations._denied.clear()

    await revocations.poll()

    assert await status_at(other, cookies) == 401
    assert await redis.call(lambda client: client.get(revoked_key(session_id))) == "1"


async def test_database_decides_without_redis(
    ada: Browser, first: Instance, other: Instance
) -> None:
    cookies = dict(ada.http.cookies)
    await first.redis.cut()
    await other.redis.cut()

    assert await status_at(other, cookies) == 200
    assert (await ada.post("/logout")).status_code == 204
    assert await status_at(other, cookies) == 401


async def test_logout_without_redis_waits_until_every_instance_has_polled(
    ada: Browser, first: Instance, other: Instance
) -> None:
    cookies = dict(ada.http.cookies)
    await first.redis.cut()  # the other instance still reaches Redis, which lacks the key

    started = time.monotonic()
    assert (await ada.post("/logout")).status_code == 204

    assert time.monotonic() - started >= POLL_INTERVAL
    assert await status_at(other, cookies) == 401


async def test_access_is_denied_without_redis_and_database(ada: Browser, other: Instance) -> None:
    cookies = dict(ada.http.cookies)
    await other.redis.cut()
    await other.database.cut()

    async with Browser(other.app) as browser:
        browser.http.cookies.update(cookies)
        answer = await browser.get("/auth-check")

    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_process_with_failing_polls_does_not_trust_redis(
    ada: Browser, other: Instance
) -> None:
    revocations = other.revocations
    cookies = dict(ada.http.cookies)
    async with other.app.state.services.database.transaction() as session:
        # Revoked in the database only, as by an instance that was killed before it wrote to Redis.
        await session.execute(update(Session).values(revoked_at=func.now()))
    revocations._denied.clear()
    revocations._polled_at = float("-inf")

    assert await status_at(other, cookies) == 401


@pytest.mark.parametrize(
    "error", [ConnectionResetError, asyncpg.ConnectionDoesNotExistError, TypeError], ids=repr
)
async def test_watch_survives_any_error_of_a_poll(
    first: Instance, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    revocations = first.revocations

    async def fail(_span: timedelta) -> None:
        failed.set()
        raise error("gone")

    failed = asyncio.Event()
    with monkeypatch.context() as outage:
        outage.setattr(revocations, "_revoked_within", fail)
        await asyncio.wait_for(failed.wait(), 5)
        polled_at = revocations._polled_at

    await asyncio.sleep(3 * POLL_INTERVAL)

    assert revocations._polled_at > polled_at


async def test_gap_between_polls_causes_a_full_read(first: Instance) -> None:
    """As after an outage of this process only, during which others revoked a session."""
    revocations = first.revocations
    async with first.app.state.services.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_until,"
                " expires_at, revoked_at) SELECT gen_random_uuid(), id, now(), now(), now(),"
                " now(), now() - interval '1 minute' FROM users WHERE username = 'noise_1'"
            )
        )
    revocations._has_lost_redis = False
    await revocations.poll()
    known = len(revocations._denied)

    revocations._polled_at -= 20
    await revocations.poll()

    assert (known, len(revocations._denied)) == (0, 1)


async def test_revoked_session_is_dropped_after_its_last_token_has_expired(
    first: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    revocations = first.revocations
    session_id = UUID(int=7)
    await revocations.publish([session_id])
    assert await revocations.is_revoked(session_id)

    later = time.monotonic() + 11 * 60 + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    await revocations.poll()

    assert session_id not in revocations._denied


async def test_breaker_opens_after_five_failures_and_closes_when_redis_recovers(
    config: Config,
) -> None:
    async with proxy_to(config.redis_url) as (proxy, url):
        redis = RedisClient(config.model_copy(update={"redis_url": url}))
        await proxy.cut()
        for _ in range(5):
            with pytest.raises(RedisUnavailable):
                await redis.call(lambda client: client.ping())
        assert redis.is_tripped
        assert not await redis.probe()

        await proxy.restore()
        with pytest.raises(RedisUnavailable):  # still open: no probe yet
            await redis.call(lambda client: client.ping())

        assert await redis.probe()
        assert await redis.call(lambda client: client.ping())
        await redis.close()


async def test_unresponsive_redis_delays_only_the_first_requests(
    ada: Browser, other: Instance
) -> None:
    cookies = dict(ada.http.cookies)
    other.redis.freeze()

    for _ in range(5):
        assert await status_at(other, cookies) == 200

    assert other.app.state.services.redis.is_tripped

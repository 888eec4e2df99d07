"""Concurrent lookups share a round trip to Redis, but never join one that was sent before."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from wxc.accounts.auth.revocation import _RedisLookup, revoked_key
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.core.redis import RedisClient, RedisUnavailable
from wxc.http.rate_limits import Hit, Policy, RateLimitStore

ONE, OTHER, THIRD = new_id(), new_id(), new_id()


class SlowRedis:
    """Reads its keys when called, but responds only after `response_gate` is set."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.requested: list[Sequence[str]] = []
        self.response_gate = asyncio.Event()
        self.is_down = False

    async def call(self, command: Callable[[Any], Awaitable[Any]]) -> Any:
        return await command(self)

    async def mget(self, keys: Sequence[str]) -> list[str | None]:
        self.requested.append(keys[1:])
        found = ["1", *("1" if key in self.revoked else None for key in keys[1:])]
        await self.response_gate.wait()
        if self.is_down:
            raise RedisUnavailable
        return found


@pytest.fixture
def redis() -> SlowRedis:
    return SlowRedis()


@pytest.fixture
def lookup(redis: SlowRedis) -> _RedisLookup:
    return _RedisLookup(cast(RedisClient, redis))


async def test_concurrent_callers_share_a_round_trip(
    lookup: _RedisLookup, redis: SlowRedis
) -> None:
    redis.revoked = {revoked_key(OTHER)}
    redis.response_gate.set()

    found = await asyncio.gather(*(lookup.state(session_id) for session_id in (ONE, OTHER, ONE)))

    assert found == [(True, False), (True, True), (True, False)]
    assert redis.requested == [(revoked_key(ONE), revoked_key(OTHER))]


async def test_caller_during_a_round_trip_waits_for_the_next_one(
    lookup: _RedisLookup, redis: SlowRedis
) -> None:
    early = asyncio.create_task(lookup.state(ONE))
    await asyncio.sleep(0.01)
    redis.revoked = {revoked_key(ONE)}  # revoked during the round trip
    late = [asyncio.create_task(lookup.state(session_id)) for session_id in (ONE, THIRD)]
    await asyncio.sleep(0)
    redis.response_gate.set()

    assert await early == (True, False)
    assert await asyncio.gather(*late) == [(True, True), (True, False)]
    assert redis.requested == [(revoked_key(ONE),), (revoked_key(ONE), revoked_key(THIRD))]


async def test_hits_of_concurrent_callers_are_counted_in_one_round_trip(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, key = RedisClient(config), (new_id().hex,)
    store, policy = RateLimitStore(config, client), Policy.parse("test", "2 per minute")
    counts = [store.prepare(Hit(policy, key)) for _ in range(3)]
    round_trips: list[object] = []
    call = client.call

    async def count_call(command: Callable[[Any], Awaitable[Any]]) -> Any:
        round_trips.append(command)
        return await call(command)

    monkeypatch.setattr(client, "call", count_call)
    real_lookup = _RedisLookup(client)
    await asyncio.gather(*(real_lookup.state(new_id(), count) for count in counts))
    await client.close()

    assert len(round_trips) == 1
    assert [count.result[0] for count in counts] == [True, True, False]


async def test_cancelled_caller_does_not_cancel_others(
    lookup: _RedisLookup, redis: SlowRedis
) -> None:
    cancelled, remaining = (
        asyncio.create_task(lookup.state(session_id)) for session_id in (ONE, ONE)
    )
    await asyncio.sleep(0.01)
    cancelled.cancel()
    redis.response_gate.set()

    assert await remaining == (True, False)
    assert cancelled.cancelled()


async def test_outage_fails_all_callers_and_the_next_call_retries(
    lookup: _RedisLookup, redis: SlowRedis
) -> None:
    redis.is_down = True
    redis.response_gate.set()
    errors = await asyncio.gather(lookup.state(ONE), lookup.state(OTHER), return_exceptions=True)
    redis.is_down = False

    assert [type(error) for error in errors] == [RedisUnavailable, RedisUnavailable]
    assert await lookup.state(ONE) == (True, False)


async def test_callers_of_a_cancelled_task_get_redis_unavailable(
    lookup: _RedisLookup, redis: SlowRedis
) -> None:
    waiting = asyncio.create_task(lookup.state(ONE))
    await asyncio.sleep(0.01)
    assert lookup._task is not None
    lookup._task.cancel()

    with pytest.raises(RedisUnavailable):
        await waiting
    redis.response_gate.set()
    assert await lookup.state(ONE) == (True, False)

"""Many who ask Redis at the same moment share a round trip, and never one that was sent before."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from wxc.accounts.auth.revocation import _Marks, revoked_key
from wxc.core.ids import new_id
from wxc.core.redis import RedisClient, RedisUnavailable

ONE, OTHER, THIRD = new_id(), new_id(), new_id()


class SlowRedis:
    """Answers when it is told to, with the marks that it has when it is asked."""

    def __init__(self) -> None:
        self.marked: set[str] = set()
        self.asked: list[Sequence[str]] = []
        self.may_answer = asyncio.Event()
        self.is_away = False

    async def call(self, command: Callable[[Any], Awaitable[Any]]) -> Any:
        return await command(self)

    async def mget(self, keys: Sequence[str]) -> list[str | None]:
        self.asked.append(keys[1:])
        found = ["1", *("1" if key in self.marked else None for key in keys[1:])]
        await self.may_answer.wait()
        if self.is_away:
            raise RedisUnavailable
        return found


@pytest.fixture
def redis() -> SlowRedis:
    return SlowRedis()


@pytest.fixture
def marks(redis: SlowRedis) -> _Marks:
    return _Marks(cast(RedisClient, redis))


async def test_who_asks_at_the_same_moment_shares_a_round_trip(
    marks: _Marks, redis: SlowRedis
) -> None:
    redis.marked = {revoked_key(OTHER)}
    redis.may_answer.set()

    found = await asyncio.gather(*(marks.of(one) for one in (ONE, OTHER, ONE)))

    assert found == [(True, False), (True, True), (True, False)]
    assert redis.asked == [(revoked_key(ONE), revoked_key(OTHER))]


async def test_who_comes_while_one_is_under_way_is_asked_for_anew(
    marks: _Marks, redis: SlowRedis
) -> None:
    early = asyncio.create_task(marks.of(ONE))
    await asyncio.sleep(0.01)
    redis.marked = {revoked_key(ONE)}  # it ends just now
    late = [asyncio.create_task(marks.of(one)) for one in (ONE, THIRD)]
    await asyncio.sleep(0)
    redis.may_answer.set()

    assert await early == (True, False)
    assert await asyncio.gather(*late) == [(True, True), (True, False)]
    assert redis.asked == [(revoked_key(ONE),), (revoked_key(ONE), revoked_key(THIRD))]


async def test_who_goes_away_takes_nobody_along(marks: _Marks, redis: SlowRedis) -> None:
    going, staying = (asyncio.create_task(marks.of(one)) for one in (ONE, ONE))
    await asyncio.sleep(0.01)
    going.cancel()
    redis.may_answer.set()

    assert await staying == (True, False)
    assert going.cancelled()


async def test_without_an_answer_all_are_told_and_the_next_is_asked_for_anew(
    marks: _Marks, redis: SlowRedis
) -> None:
    redis.is_away = True
    redis.may_answer.set()
    found = await asyncio.gather(marks.of(ONE), marks.of(OTHER), return_exceptions=True)
    redis.is_away = False

    assert [type(one) for one in found] == [RedisUnavailable, RedisUnavailable]
    assert await marks.of(ONE) == (True, False)


async def test_an_end_of_the_asking_leaves_nobody_waiting(marks: _Marks, redis: SlowRedis) -> None:
    waiting = asyncio.create_task(marks.of(ONE))
    await asyncio.sleep(0.01)
    assert marks._asking is not None
    marks._asking.cancel()

    with pytest.raises(RedisUnavailable):
        await waiting
    redis.may_answer.set()
    assert await marks.of(ONE) == (True, False)

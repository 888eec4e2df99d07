"""Revoked sessions: PostgreSQL is the source of truth, Redis a cache; failures deny access.

Redis has a key for each session revoked within the lifetime of an access token, and a sentinel:
while it exists, the keys are complete. All keys share the hash tag `{auth}`, so that one MGET can
read them. Each process also polls PostgreSQL once a second, adds the result to a local deny set
and restores lost keys. If both are unavailable, requests are refused.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

from redis.asyncio import Redis

from wxc.accounts.auth.repository.sessions import live_session, sessions_revoked_within
from wxc.accounts.auth.tokens import LEEWAY
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.events import Events
from wxc.core.redis import RedisClient, RedisUnavailable
from wxc.db.database import Database
from wxc.http.rate_limits import Count

_log = logging.getLogger("wxc.auth")
SENTINEL = "{auth}:complete"
# Polls overlap: a transaction may set `revoked_at` before a poll and commit after it.
_OVERLAP = timedelta(seconds=30)
# A poll is trusted for this many intervals; without Redis, a logout waits that long.
_TRUSTED_INTERVALS = 2


def revoked_key(session_id: UUID) -> str:
    return f"{{auth}}:revoked:{session_id}"


class Revocations:
    """Checks whether sessions are revoked, and publishes revocations to all instances."""

    def __init__(
        self, config: Config, database: Database, redis: RedisClient, events: Events
    ) -> None:
        self._database = database
        self._redis = redis
        self._events = events
        self._interval = config.revocation_poll_interval
        # For this long after a revocation, a client may still send the session's access token.
        self._retention = timedelta(seconds=config.access_token_lifetime) + 2 * LEEWAY
        self._denied: dict[UUID, float] = {}
        self._polled_at = float("-inf")
        self._has_lost_redis = True  # until a poll over the whole retention has succeeded
        self._lookup = _RedisLookup(redis)
        self._rehydration_lock = asyncio.Lock()
        self._rehydrations = 0

    async def is_revoked(self, session_id: UUID, count: Count | None = None) -> bool:
        """Whether the session is revoked; usually one round trip to Redis.

        `count` is sent along, and has no reply if Redis was not asked.

        The caller must have verified an access token: Redis cannot tell an unknown or expired
        session from a live one.
        """
        if session_id in self._denied:
            return True
        if self._is_stale():
            return await self._is_revoked_in_database(session_id)
        try:
            is_complete, is_revoked = await self._lookup.state(session_id, count)
            if not is_revoked and not is_complete:
                await self._rehydrate()
                return session_id in self._denied
        except RedisUnavailable:
            self._has_lost_redis = True
            return await self._is_revoked_in_database(session_id)
        return is_revoked

    async def publish(self, session_ids: Sequence[UUID]) -> None:
        """Publish revocations to every instance, after COMMIT and before the response.

        If Redis is unavailable even after a retry, wait until every instance has polled the
        database or no longer trusts its last poll.
        """
        self._deny(session_ids)
        for _ in range(2):
            try:
                await self._write(session_ids)
            except RedisUnavailable:
                self._has_lost_redis = True
            else:
                return
        await asyncio.sleep(_TRUSTED_INTERVALS * self._interval)

    @staticmethod
    def topic_of(session_id: UUID) -> str:
        """The event topic that wakes the session's streams when the session ends."""
        return f"session:{session_id}"

    async def watch(self) -> None:
        """Poll until cancelled, as a background task."""
        while True:
            started_at = time.monotonic()
            try:
                await self.poll()
            except Exception as error:  # any: without polls, every request queries the database
                _log.warning("polling for revoked sessions failed: %r", error)
            await asyncio.sleep(max(0.0, self._interval - (time.monotonic() - started_at)))

    async def poll(self) -> None:
        """Deny recently revoked sessions and write their keys; all after an outage or a gap."""
        started_at = time.monotonic()
        has_lost_redis = self._has_lost_redis or self._redis.is_tripped
        has_gap = started_at - self._polled_at > _OVERLAP.total_seconds() / 2
        span = self._retention if has_lost_redis or has_gap else _OVERLAP
        revoked = await self._revoked_within(span)
        self._deny(revoked)
        self._drop_expired()
        self._polled_at = started_at
        if has_lost_redis and not await self._redis.probe():
            return
        try:
            await self._write(revoked)
        except RedisUnavailable:
            self._has_lost_redis = True
        else:
            self._has_lost_redis = False

    async def _rehydrate(self) -> None:
        """Write all keys and the sentinel after a flush of Redis; once for concurrent callers."""
        rehydrations_before = self._rehydrations
        async with self._rehydration_lock:
            if self._rehydrations != rehydrations_before:
                return
            revoked = await self._revoked_within(self._retention)
            self._deny(revoked)
            await self._write(revoked, is_complete=True)
            self._rehydrations += 1

    async def _write(self, session_ids: Sequence[UUID], *, is_complete: bool = False) -> None:
        seconds = round(self._retention.total_seconds())

        async def write(redis: Redis) -> None:
            pipeline = redis.pipeline(transaction=False)
            for session_id in session_ids:
                pipeline.set(revoked_key(session_id), "1", ex=seconds)
            if is_complete:
                pipeline.set(SENTINEL, "1")
            await pipeline.execute()

        if session_ids or is_complete:
            await self._redis.call(write)

    async def _revoked_within(self, span: timedelta) -> Sequence[UUID]:
        rows = await self._database.primary.fetch(sessions_revoked_within(span))
        return [row.id for row in rows]

    async def _is_revoked_in_database(self, session_id: UUID) -> bool:
        query = live_session(session_id, clock.now())
        return await self._database.primary.fetch_one(query) is None

    def _is_stale(self) -> bool:
        return time.monotonic() - self._polled_at > _TRUSTED_INTERVALS * self._interval

    def _deny(self, session_ids: Sequence[UUID]) -> None:
        until = time.monotonic() + self._retention.total_seconds()
        for session_id in session_ids:
            if session_id not in self._denied:
                self._denied[session_id] = until
                self._events.wake(self.topic_of(session_id))

    def _drop_expired(self) -> None:
        moment = time.monotonic()
        expired = [session_id for session_id, until in self._denied.items() if until < moment]
        for session_id in expired:
            del self._denied[session_id]


_Lookup: TypeAlias = "asyncio.Future[tuple[bool, bool]]"


class _RedisLookup:
    """Reads the keys of sessions from Redis and counts hits; concurrent callers share a round trip.

    Only one MGET is in flight. Callers that arrive meanwhile wait for the next one, because the
    current one may have been sent before their session was revoked.
    """

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._waiting: dict[UUID, list[_Lookup]] = {}
        self._counts: list[Count] = []
        self._task: asyncio.Task[None] | None = None

    async def state(self, session_id: UUID, count: Count | None = None) -> tuple[bool, bool]:
        """Whether the sentinel exists, and the session's key; raises `RedisUnavailable`."""
        future: _Lookup = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(session_id, []).append(future)
        if count is not None:
            self._counts.append(count)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._fetch_batch()
        finally:
            self._task = None

    async def _fetch_batch(self) -> None:
        batch, self._waiting = self._waiting, {}
        counts, self._counts = self._counts, []
        try:
            keys = (SENTINEL, *(revoked_key(session_id) for session_id in batch))
            sentinel, *values = await self._redis.call(partial(_read_and_count, keys, counts))
        except BaseException as error:
            for future in _pending(*batch.values()):
                future.set_exception(_as_caller_error(error))
            if not isinstance(error, Exception):
                raise
            return
        for futures, key in zip(batch.values(), values, strict=True):
            for future in _pending(futures):
                future.set_result((sentinel is not None, key is not None))


async def _read_and_count(keys: Sequence[str], counts: Sequence[Count], redis: Redis) -> list[Any]:
    """The values of the keys; sets the reply of each count that Redis has executed."""
    if not counts:  # a pipeline costs three times a single command
        return await redis.mget(keys)
    pipeline = redis.pipeline(transaction=False)
    pipeline.mget(keys)
    for count in counts:
        count.send(pipeline)
    values, *replies = await pipeline.execute(raise_on_error=False)
    if isinstance(values, Exception):
        raise RedisUnavailable from values
    for count, reply in zip(counts, replies, strict=True):
        if not isinstance(reply, Exception):  # a full Redis can read, but not count
            count.reply = reply
    return list(values)


def _pending(*waiting: list[_Lookup]) -> Iterator[_Lookup]:
    """The futures of callers that were not cancelled."""
    return (future for futures in waiting for future in futures if not future.done())


def _as_caller_error(error: BaseException) -> Exception:
    """Callers see a cancelled lookup task as an unavailable Redis."""
    return error if isinstance(error, Exception) else RedisUnavailable()

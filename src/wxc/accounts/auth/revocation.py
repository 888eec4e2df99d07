"""Ended sessions: Postgres is the truth, Redis the accelerator, and nothing allows by default.

Redis holds a key for each session revoked within the life of an access token, and a sentinel
that says "these keys are complete". All carry the hash tag `{auth}`, so that one MGET reads them
in one round trip. Each process also polls Postgres once a second and keeps what it finds in a
local deny set, which heals lost keys. Where neither can be asked, requests are refused.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from redis.asyncio import Redis

from wxc.accounts.auth.repository.sessions import live_session, sessions_revoked_within
from wxc.accounts.auth.tokens import LEEWAY
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.events import Events
from wxc.core.redis import RedisClient, RedisUnavailable
from wxc.db.database import Database

_log = logging.getLogger("wxc.auth")
SENTINEL = "{auth}:complete"
_OVERLAP = timedelta(seconds=30)  # a transaction that began before the last poll may commit late
# For so many intervals a poll is trusted to be fresh; so long a logout waits that Redis is deaf to.
_TRUSTED_INTERVALS = 2


def revoked_key(session_id: UUID) -> str:
    """The Redis key whose presence ends a session."""
    return f"{{auth}}:revoked:{session_id}"


class Revocations:
    """Answers whether a session has been ended, and spreads the news when one is."""

    def __init__(
        self, config: Config, database: Database, redis: RedisClient, events: Events
    ) -> None:
        self._database = database
        self._redis = redis
        self._events = events
        self._interval = config.revocation_poll_interval
        # How long a revoked session's access token could still be shown to us.
        self._span = timedelta(seconds=config.access_token_lifetime) + 2 * LEEWAY
        self._denied: dict[UUID, float] = {}
        self._polled_at = float("-inf")
        self._has_lost_redis = True  # until the first poll over the whole span has succeeded
        self._marks = _Marks(redis)
        self._rehydrating = asyncio.Lock()
        self._rehydrations = 0

    async def is_ended(self, session_id: UUID) -> bool:
        """Whether the session has been ended; one round trip to Redis in the usual case.

        The caller has verified an access token, so the session existed and was not expired.
        """
        if session_id in self._denied:
            return True
        if self._is_stale():
            return await self._is_ended_in_database(session_id)
        try:
            is_complete, is_marked = await self._marks.of(session_id)
            if not is_marked and not is_complete:
                await self._rehydrate()
                return session_id in self._denied
        except RedisUnavailable:
            self._has_lost_redis = True
            return await self._is_ended_in_database(session_id)
        return is_marked

    async def announce(self, session_ids: Sequence[UUID]) -> None:
        """Tell every instance, after COMMIT and before the answer.

        When Redis cannot be told, wait until every instance has polled the database, or has
        stopped to trust its last poll.
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
        """Where those who must know of the session's end listen."""
        return f"session:{session_id}"

    async def watch(self) -> None:
        """Poll for as long as the process lives (a background task)."""
        while True:
            started = time.monotonic()
            try:
                await self.poll()
            except Exception as error:  # whatever it is: without polls nobody may be trusted
                _log.warning("the poll for revoked sessions failed: %r", error)
            await asyncio.sleep(max(0.0, self._interval - (time.monotonic() - started)))

    async def poll(self) -> None:
        """Learn what was revoked lately and assert its keys; all of it after a loss of Redis."""
        started = time.monotonic()
        has_lost_redis = self._has_lost_redis or self._redis.is_tripped
        has_gap = started - self._polled_at > _OVERLAP.total_seconds() / 2
        revoked = await self._revoked_within(self._span if has_lost_redis or has_gap else _OVERLAP)
        self._deny(revoked)
        self._forget_expired()
        self._polled_at = started
        if has_lost_redis and not await self._redis.probe():
            return
        try:
            await self._write(revoked)
        except RedisUnavailable:
            self._has_lost_redis = True
        else:
            self._has_lost_redis = False

    async def _rehydrate(self) -> None:
        """Redis was flushed: write what the database knows, then the sentinel; once for all."""
        seen = self._rehydrations
        async with self._rehydrating:
            if self._rehydrations != seen:
                return
            revoked = await self._revoked_within(self._span)
            self._deny(revoked)
            await self._write(revoked, is_complete=True)
            self._rehydrations += 1

    async def _write(self, session_ids: Sequence[UUID], *, is_complete: bool = False) -> None:
        seconds = round(self._span.total_seconds())

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

    async def _is_ended_in_database(self, session_id: UUID) -> bool:
        query = live_session(session_id, clock.now())
        return await self._database.primary.fetch_one(query) is None

    def _is_stale(self) -> bool:
        return time.monotonic() - self._polled_at > _TRUSTED_INTERVALS * self._interval

    def _deny(self, session_ids: Sequence[UUID]) -> None:
        until = time.monotonic() + self._span.total_seconds()
        for session_id in session_ids:
            if session_id not in self._denied:
                self._denied[session_id] = until
                self._events.wake(self.topic_of(session_id))

    def _forget_expired(self) -> None:
        moment = time.monotonic()
        for session_id in [one for one, until in self._denied.items() if until < moment]:
            del self._denied[session_id]


class _Marks:
    """What Redis says of sessions, asked for all that wait at the same moment in one round trip.

    One MGET is under way at a time. Whoever comes meanwhile is asked for by the next one, never by
    one that has been sent: it might not know yet of a session that has ended since.
    """

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._waiting: dict[UUID, asyncio.Future[tuple[bool, bool]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def of(self, session_id: UUID) -> tuple[bool, bool]:
        """Whether the sentinel is there, and the session's mark; raises `RedisUnavailable`."""
        answer = self._waiting.get(session_id)
        if answer is None:
            answer = self._waiting[session_id] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(answer)  # a client that goes away takes nobody along

    async def _ask(self) -> None:
        try:
            while self._waiting:
                await self._ask_once()
        finally:
            self._asking = None

    async def _ask_once(self) -> None:
        asked, self._waiting = self._waiting, {}
        try:
            keys = (SENTINEL, *(revoked_key(session_id) for session_id in asked))
            sentinel, *marks = await self._redis.call(lambda redis: redis.mget(keys))
        except BaseException as error:
            for answer in asked.values():
                answer.set_exception(_seen_by_callers(error))
                answer.exception()  # all who wait may have gone: that is no news to anybody
            if not isinstance(error, Exception):
                raise
        else:
            for answer, mark in zip(asked.values(), marks, strict=True):
                answer.set_result((sentinel is not None, mark is not None))


def _seen_by_callers(error: BaseException) -> Exception:
    """That the asking itself is cancelled is, to those who wait, Redis giving no answer."""
    return error if isinstance(error, Exception) else RedisUnavailable()

"""Telling every instance that something has happened: Redis pub/sub, by topic.

A message holds nothing; who hears it looks at the database. So one that is lost costs time only:
whoever waits looks now and then by themselves, and after every gap.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.config import Config
from wxc.core.redis import RedisClient, RedisUnavailable

_log = logging.getLogger("wxc.events")
_PREFIX = "wxc:events:"
_ALWAYS = f"{_PREFIX}-"  # nobody speaks here; a subscriber needs one channel to wait at
_PAUSE = 1.0  # seconds between attempts to subscribe again


def announce(session: AsyncSession, *topics: str) -> None:
    """Have those who wait for these topics woken after this transaction's COMMIT."""
    session.info.setdefault("topics", set()).update(topics)


class Events:
    """Wakes those who wait for a topic, in this process and in all others."""

    def __init__(self, config: Config, redis: RedisClient) -> None:
        self._redis = redis
        # Waits for as long as nothing happens, which the other client must never do.
        self._listener: Redis = Redis.from_url(
            config.redis_url,
            decode_responses=True,
            socket_timeout=None,
            socket_connect_timeout=config.redis_connect_timeout,
        )
        self._pubsub: PubSub | None = None
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._untold: set[str] = set()
        self._telling: asyncio.Task[None] | None = None
        self.is_closing = False

    async def publish(self, topics: Iterable[str]) -> None:
        """Wake whoever waits for them: here at once, elsewhere when Redis has been told.

        Nobody waits until it has been, and what is published meanwhile is told in one round trip.
        Without Redis only those in this process are woken.
        """
        for topic in topics:
            self.wake(topic)
            self._untold.add(topic)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever one of the topics is announced; the listener clears it."""
        bell = asyncio.Event()
        for topic in topics:
            self._waiting.setdefault(topic, set()).add(bell)
        await self._tune(*topics)
        try:
            yield bell
        finally:
            for topic in topics:
                self._waiting[topic].discard(bell)
                if not self._waiting[topic]:
                    del self._waiting[topic]
            # Whoever listens may be being cancelled, and can wait for nothing any more.
            leaving = asyncio.create_task(self._tune(*topics))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    def wake(self, topic: str) -> None:
        """Wake whoever waits for the topic in this process."""
        for bell in self._waiting.get(topic, ()):
            bell.set()

    def end(self) -> None:
        """Have every stream end, since the process does."""
        self.is_closing = True
        for topic in list(self._waiting):
            self.wake(topic)

    async def watch(self) -> None:
        """Pass on what Redis says, for as long as the process lives (a background task)."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                _log.warning("events of other instances are not heard: %r", error)
            finally:
                self._pubsub = None
            await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        """Tell Redis what it has not been told yet, and close the connection that listens."""
        if self._telling is not None:
            await self._telling
        await self._listener.aclose()

    async def _tell(self) -> None:
        while self._untold:
            topics, self._untold = self._untold, set()
            with suppress(RedisUnavailable):
                await self._redis.call(partial(_publish, topics))

    async def _listen(self) -> None:
        async with self._listener.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(_ALWAYS, *(_PREFIX + topic for topic in self._waiting))
            self._pubsub = pubsub
            for topic in list(self._waiting):  # what happened meanwhile was not heard
                await self._tune(topic)
                self.wake(topic)
            async for message in pubsub.listen():
                self.wake(message["channel"].removeprefix(_PREFIX))

    async def _tune(self, *topics: str) -> None:
        """Subscribe to the topics' channels, or leave them, as there are listeners."""
        pubsub = self._pubsub
        if pubsub is None:
            return  # all are subscribed to at the next connection
        with suppress(RedisError, OSError):  # the watch meets the same and begins anew
            for topic in topics:
                change = pubsub.subscribe if topic in self._waiting else pubsub.unsubscribe
                await change(_PREFIX + topic)


async def _publish(topics: Collection[str], redis: Redis) -> None:
    if len(topics) == 1:  # as mostly: at a third of a pipeline's price
        await redis.publish(_PREFIX + next(iter(topics)), "")
        return
    pipeline = redis.pipeline(transaction=False)
    for topic in topics:
        pipeline.publish(_PREFIX + topic, "")
    await pipeline.execute()

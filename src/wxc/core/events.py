"""Events by topic, sent to all instances through Redis pub/sub.

Messages are empty: listeners read the database. A lost message only delays them, since they also
poll and are woken after every reconnection.
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
_IDLE_CHANNEL = f"{_PREFIX}-"  # never used; a subscriber needs at least one channel
_RECONNECT_INTERVAL = 1.0  # seconds


def announce(session: AsyncSession, *topics: str) -> None:
    """Wake the listeners of these topics after this transaction's COMMIT."""
    session.info.setdefault("topics", set()).update(topics)


class Events:
    """Wakes the listeners of a topic, in this process and in all others."""

    def __init__(self, config: Config, redis: RedisClient) -> None:
        self._redis = redis
        # A second client, because listening must not time out.
        self._listener: Redis = Redis.from_url(
            config.redis_url,
            decode_responses=True,
            socket_timeout=None,
            socket_connect_timeout=config.redis_connect_timeout,
        )
        self._pubsub: PubSub | None = None
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self._unsubscribe_tasks: set[asyncio.Task[None]] = set()
        self._pending: set[str] = set()
        self._publish_task: asyncio.Task[None] | None = None
        self.is_closing = False

    async def publish(self, topics: Iterable[str]) -> None:
        """Wake listeners in this process immediately, in others by a background task.

        Topics that are published during a round trip share the next one. While Redis is
        unavailable, only listeners in this process are woken.
        """
        for topic in topics:
            self.wake(topic)
            self._pending.add(topic)
        if self._publish_task is None or self._publish_task.done():
            self._publish_task = asyncio.create_task(self._publish_pending())

    @asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever one of the topics is published; the listener clears it."""
        event = asyncio.Event()
        for topic in topics:
            self._listeners.setdefault(topic, set()).add(event)
        await self._sync_subscriptions(*topics)
        try:
            yield event
        finally:
            self._remove_listener(event, topics)
            # A listener that is being cancelled cannot await.
            unsubscribe = asyncio.create_task(self._sync_subscriptions(*topics))
            self._unsubscribe_tasks.add(unsubscribe)
            unsubscribe.add_done_callback(self._unsubscribe_tasks.discard)

    def _remove_listener(self, event: asyncio.Event, topics: Iterable[str]) -> None:
        for topic in topics:
            self._listeners[topic].discard(event)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def wake(self, topic: str) -> None:
        """Wake the listeners of the topic in this process."""
        for event in self._listeners.get(topic, ()):
            event.set()

    def end_streams(self) -> None:
        """End all streams, because the process shuts down."""
        self.is_closing = True
        for topic in list(self._listeners):
            self.wake(topic)

    async def watch(self) -> None:
        """Receive events from Redis until the process ends (a background task)."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                _log.warning("cannot receive the events of other instances: %r", error)
            finally:
                self._pubsub = None
            await asyncio.sleep(_RECONNECT_INTERVAL)

    async def close(self) -> None:
        """Publish pending topics and close the listening connection."""
        if self._publish_task is not None:
            await self._publish_task
        await self._listener.aclose()

    async def _publish_pending(self) -> None:
        while self._pending:
            topics, self._pending = self._pending, set()
            with suppress(RedisUnavailable):
                await self._redis.call(partial(_publish, topics))

    async def _listen(self) -> None:
        async with self._listener.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(_IDLE_CHANNEL, *(_PREFIX + topic for topic in self._listeners))
            self._pubsub = pubsub
            for topic in list(self._listeners):  # events may have been missed meanwhile
                await self._sync_subscriptions(topic)
                self.wake(topic)
            async for message in pubsub.listen():
                self.wake(message["channel"].removeprefix(_PREFIX))

    async def _sync_subscriptions(self, *topics: str) -> None:
        """Subscribe to the channels of topics that have listeners, unsubscribe from the others."""
        pubsub = self._pubsub
        if pubsub is None:
            return  # the next connection subscribes to all
        with suppress(RedisError, OSError):  # `watch` gets the same error and reconnects
            for topic in topics:
                change = pubsub.subscribe if topic in self._listeners else pubsub.unsubscribe
                await change(_PREFIX + topic)


async def _publish(topics: Collection[str], redis: Redis) -> None:
    if len(topics) == 1:  # the usual case; costs a third of a pipeline
        await redis.publish(_PREFIX + next(iter(topics)), "")
        return
    pipeline = redis.pipeline(transaction=False)
    for topic in topics:
        pipeline.publish(_PREFIX + topic, "")
    await pipeline.execute()

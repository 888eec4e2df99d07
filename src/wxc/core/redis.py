"""Redis as an accelerator: requests work without it."""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from wxc.core.config import Config

T = TypeVar("T")
_MAX_FAILURES = 5  # within the window; then the breaker opens
_FAILURE_WINDOW = 10.0  # seconds


class RedisUnavailable(Exception):  # noqa: N818 - an expected outcome
    """Redis did not respond, or the breaker is open."""


class RedisClient:
    """A Redis connection pool behind a circuit breaker.

    After five failures within ten seconds no request calls Redis; `probe`, called by a background
    task, closes the breaker when Redis responds again. So an outage costs the first few requests a
    time-out each and the others nothing.
    """

    def __init__(self, config: Config) -> None:
        self._redis: Redis = Redis.from_url(
            config.redis_url,
            decode_responses=True,
            socket_timeout=config.redis_timeout,
            socket_connect_timeout=config.redis_connect_timeout,
            retry=Retry(NoBackoff(), 0),
            # One for each request in flight, so that a full pool does not look like an outage.
            max_connections=config.requests_in_flight + 8,
        )
        self._failures: deque[float] = deque(maxlen=_MAX_FAILURES)
        self.is_tripped = False

    @property
    def pool(self) -> ConnectionPool:
        """The connections, for a library with its own client; to be used within `call`."""
        return self._redis.connection_pool

    async def call(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """The result of `command`; raises `RedisUnavailable` instead of waiting."""
        if self.is_tripped:
            raise RedisUnavailable
        return await self._attempt(command)

    async def probe(self) -> bool:
        """Ping Redis even if the breaker is open, and close the breaker if Redis responds."""
        try:
            await self._attempt(lambda redis: redis.ping())
        except RedisUnavailable:
            return False
        self._failures.clear()
        self.is_tripped = False
        return True

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._redis.aclose()

    async def _attempt(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        try:
            return await command(self._redis)
        except (RedisError, OSError, TimeoutError) as error:
            self._count_failure()
            raise RedisUnavailable from error

    def _count_failure(self) -> None:
        failed_at = time.monotonic()
        self._failures.append(failed_at)
        if (
            len(self._failures) == _MAX_FAILURES
            and failed_at - self._failures[0] <= _FAILURE_WINDOW
        ):
            self.is_tripped = True

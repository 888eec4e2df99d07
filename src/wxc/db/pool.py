"""The pool of connections that run one prepared query each."""

import asyncio
from collections import deque
from functools import partial
from typing import Any, cast

import asyncpg
from sqlalchemy.exc import TimeoutError as NoConnection

from wxc.core.config import Config
from wxc.db.connections import Connection, connect
from wxc.db.errors import DRIVER_ERRORS, is_lost

# A firewall may have forgotten a connection that was idle for longer; to ask the server is a round
# trip.
TRUSTED_IDLE = 1.0  # seconds
_ANSWER_TIMEOUT = 3.0  # seconds


class Pool:
    """asyncpg's pool: waiters are served in order of arrival, for DATABASE_POOL_WAIT at most."""

    def __init__(self, config: Config, url: str, size: int) -> None:
        self._config = config
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._users = 0
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()

    def acquire(self) -> "_Acquired":
        """A context with a connection that answers; it returns the connection at its end.

        Raises SQLAlchemy's `TimeoutError`, `OSError` and asyncpg's errors.
        """
        return _Acquired(self)

    async def take(self) -> Connection:
        """A connection that answers, for `give_back`."""
        if self._users >= self._size:
            connection = await self._next_given_back()
            if connection is not None:
                return connection
        else:
            self._users += 1
        try:
            return await self._answering(self._pool or await self._open())
        except BaseException:
            self._free_place()
            raise

    async def give_back(self, connection: Connection, error: BaseException | None) -> None:
        """Hand a connection to the first waiter, or return it; `error` is what its use raised.

        One that was left in the middle of a statement is closed: it serves nobody else.
        """
        if error is None:
            connection.mark_used()
        elif not isinstance(error, Exception) and not is_lost(connection):
            connection.terminate()
        is_usable = error is None or not is_lost(connection)
        if is_usable and self._hand_over(connection):
            return
        self._free_place()
        await cast("asyncpg.Pool[asyncpg.Record]", self._pool).release(cast(Any, connection))

    async def _next_given_back(self) -> Connection | None:
        """The next connection that is given back; None for the right to open another.

        To return it to asyncpg's pool and to acquire it from there takes a task, a timer and two
        turns of the event loop more: a tenth of a like while all connections are in use.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(self._config.database_pool_wait, self._expire, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            is_served = waiter.done() and not waiter.cancelled() and not waiter.exception()
            if is_served:  # at this very moment
                given = waiter.result()
                await self.give_back(given, None) if given else self._free_place()
            raise
        finally:
            timer.cancel()

    def _hand_over(self, connection: Connection | None) -> bool:
        """Whether anybody has waited."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _free_place(self) -> None:
        """Let the first waiter open a connection, or the next caller."""
        if not self._hand_over(None):
            self._users -= 1

    def _expire(self, waiter: "asyncio.Future[Connection | None]") -> None:
        if not waiter.done():
            wait = self._config.database_pool_wait
            waiter.set_exception(NoConnection(f"no connection within {wait} seconds"))

    @property
    def in_use(self) -> int:
        """How many connections are acquired at this moment."""
        return 0 if self._pool is None else self._pool.get_size() - self._pool.get_idle_size()

    async def close(self) -> None:
        """Close every connection, also those in use."""
        if self._pool is not None:
            self._pool.terminate()

    async def _open(self) -> "asyncpg.Pool[asyncpg.Record]":
        """Nothing is connected yet: the process starts while the database does not answer."""
        pool = asyncpg.create_pool(
            min_size=0,
            max_size=self._size,
            max_queries=0x7FFFFFFF,
            connect=partial(_connect, self._config, self._url),
            connection_class=Connection,
            reset=_keep,  # a prepared query leaves nothing behind, and to reset is a round trip
        )
        self._pool = await pool
        return self._pool

    async def _answering(self, pool: "asyncpg.Pool[asyncpg.Record]") -> Connection:
        while True:
            connection = cast(Connection, await pool.acquire())
            if connection.idle_seconds() < TRUSTED_IDLE or await _answers(connection):
                return connection
            connection.terminate()
            await pool.release(cast(Any, connection))


class _Acquired:
    """A connection while it is in use; a generator would cost twice as much as this class."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        await self._pool.give_back(self._connection, error)


async def _connect(config: Config, url: str, _dsn: None, **options: Any) -> Connection:  # noqa: ANN401
    return await connect(config, url, **options)


async def _keep(_connection: object) -> None:
    """Leave the connection as it is."""


async def _answers(connection: Connection) -> bool:
    try:
        await connection.execute("SELECT 1", timeout=_ANSWER_TIMEOUT)
    except (*DRIVER_ERRORS, OSError):
        return False
    return True

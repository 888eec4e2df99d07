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

# A firewall may have dropped a connection that was idle for longer; a ping is a round trip.
MAX_IDLE_WITHOUT_PING = 1.0  # seconds
_PING_TIMEOUT = 3.0  # seconds


class Pool:
    """asyncpg's pool: waiters are served in order of arrival, for DATABASE_POOL_WAIT at most."""

    def __init__(self, config: Config, url: str, size: int) -> None:
        self._config = config
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._acquired = 0
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()

    def acquire(self) -> "_AcquireContext":
        """A context manager for a live connection, which it releases.

        Raises SQLAlchemy's `TimeoutError`, `OSError` and asyncpg's errors.
        """
        return _AcquireContext(self)

    async def acquire_connection(self) -> Connection:
        """A live connection; pass it to `release` after use."""
        if self._acquired >= self._size:
            connection = await self._wait_for_connection()
            if connection is not None:
                return connection
        else:
            self._acquired += 1
        try:
            return await self._acquire_live(self._pool or await self._open())
        except BaseException:
            self._free_slot()
            raise

    async def release(self, connection: Connection, error: BaseException | None) -> None:
        """Hand a connection to the first waiter, or return it; `error` is what its use raised.

        A connection that was left in the middle of a statement is closed.
        """
        if error is None:
            connection.mark_used()
        elif not isinstance(error, Exception) and not is_lost(connection):
            connection.terminate()
        if not is_lost(connection) and self._hand_to_waiter(connection):
            return
        self._free_slot()
        await cast("asyncpg.Pool[asyncpg.Record]", self._pool).release(cast(Any, connection))

    async def _wait_for_connection(self) -> Connection | None:
        """The next connection that is released; None means that the caller may open another.

        Releasing to asyncpg's pool and acquiring from it takes a task, a timer and two more turns
        of the event loop: a tenth of the CPU time of a like while all connections are in use.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(self._config.database_pool_wait, self._time_out, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            is_served = waiter.done() and not waiter.cancelled() and not waiter.exception()
            if is_served:  # and cancelled before it ran
                connection = waiter.result()
                await self.release(connection, None) if connection else self._free_slot()
            raise
        finally:
            timer.cancel()

    def _hand_to_waiter(self, connection: Connection | None) -> bool:
        """Give the connection to the first waiter; returns whether there was one."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _free_slot(self) -> None:
        """Let the first waiter, or else the next caller, open a connection."""
        if not self._hand_to_waiter(None):
            self._acquired -= 1

    def _time_out(self, waiter: "asyncio.Future[Connection | None]") -> None:
        if not waiter.done():
            wait = self._config.database_pool_wait
            waiter.set_exception(NoConnection(f"no connection within {wait} seconds"))

    @property
    def in_use(self) -> int:
        """The number of connections in use."""
        return 0 if self._pool is None else self._pool.get_size() - self._pool.get_idle_size()

    async def close(self) -> None:
        """Close every connection, also those in use."""
        if self._pool is not None:
            self._pool.terminate()

    async def _open(self) -> "asyncpg.Pool[asyncpg.Record]":
        """Opens no connection yet: the process may start while the database is unavailable."""
        pool = asyncpg.create_pool(
            min_size=0,
            max_size=self._size,
            max_queries=0x7FFFFFFF,
            connect=partial(_connect, self._config, self._url),
            connection_class=Connection,
            reset=_skip_reset,  # a prepared query leaves no state, and a reset is a round trip
        )
        self._pool = await pool
        return self._pool

    async def _acquire_live(self, pool: "asyncpg.Pool[asyncpg.Record]") -> Connection:
        while True:
            connection = cast(Connection, await pool.acquire())
            if connection.idle_seconds() < MAX_IDLE_WITHOUT_PING or await _is_alive(connection):
                return connection
            connection.terminate()
            await pool.release(cast(Any, connection))


class _AcquireContext:
    """A connection in use; a generator-based context manager would cost twice as much."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.acquire_connection()
        return self._connection

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        await self._pool.release(self._connection, error)


async def _connect(config: Config, url: str, _dsn: None, **options: Any) -> Connection:  # noqa: ANN401
    return await connect(config, url, **options)


async def _skip_reset(_connection: object) -> None:
    """Do nothing."""


async def _is_alive(connection: Connection) -> bool:
    try:
        await connection.execute("SELECT 1", timeout=_PING_TIMEOUT)
    except (*DRIVER_ERRORS, OSError):
        return False
    return True

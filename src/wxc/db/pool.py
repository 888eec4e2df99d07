"""The pool of connections that run one prepared query each."""

import asyncio
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


class Pool:
    """asyncpg's pool: waiters are served in order of arrival, for DATABASE_POOL_WAIT at most."""

    def __init__(self, config: Config, url: str, size: int) -> None:
        self._config = config
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._users = 0  # of connections, those among them who wait

    def acquire(self) -> "_Acquired":
        """A context with a connection that answers; it returns the connection at its end.

        Raises SQLAlchemy's `TimeoutError`, `OSError` and asyncpg's errors.
        """
        return _Acquired(self)

    async def take(self) -> Connection:
        """A connection that answers, for `give_back`."""
        pool = self._pool or await self._open()
        has_to_wait = self._users >= self._size
        self._users += 1
        try:
            if not has_to_wait:  # a timer costs as much as all else here
                connection = cast(Connection, await pool.acquire())
                if connection.idle_seconds() < TRUSTED_IDLE:
                    return connection
                await pool.release(cast(Any, connection))
            return await self._wait(pool)
        except BaseException:
            self._users -= 1
            raise

    async def give_back(self, connection: Connection, error: BaseException | None) -> None:
        """Return a connection, and what its use has raised.

        One that was left in the middle of a statement is closed: it serves nobody else.
        """
        if error is None:
            connection.mark_used()
        elif not isinstance(error, Exception) and not is_lost(connection):
            connection.terminate()
        self._users -= 1
        await cast("asyncpg.Pool[asyncpg.Record]", self._pool).release(cast(Any, connection))

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

    async def _wait(self, pool: "asyncpg.Pool[asyncpg.Record]") -> Connection:
        wait = self._config.database_pool_wait
        try:
            async with asyncio.timeout(wait):
                return await self._answering(pool)
        except TimeoutError:
            raise NoConnection(f"no connection within {wait} seconds") from None

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
        await connection.execute("SELECT 1")
    except (*DRIVER_ERRORS, OSError):
        return False
    return True

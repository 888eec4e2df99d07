"""`Database`: runs one prepared query in autocommit, and opens sessions."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.pool import QueuePool

from wxc.core import logging as logs
from wxc.core.config import Config
from wxc.core.tracing import sql_comment
from wxc.db.commits import require_commit_in_time
from wxc.db.engine import make_engine
from wxc.db.errors import translated
from wxc.db.pool import Pool
from wxc.db.prepared import PreparedQuery
from wxc.db.session import (
    Observe,
    Publish,
    Session,
    TransactionalSession,
    end_transaction,
    run_after_commit,
)

Row = TypeVar("Row", bound=tuple[Any, ...] | None)
Fields = TypeVar("Fields", bound=tuple[Any, ...])


class Database:
    """Runs one prepared query in autocommit, for reads and for writes that are a single statement.

    Reads go to the replica where there is one; `primary` is for writes, for answers that must not
    lag, and for whatever guards a write. The application makes it when it starts and closes it at
    its end; the servers may start later.
    """

    publish_topics: Publish | None = None
    """Publishes events, after a COMMIT."""
    observe: Observe
    """Called with each query before it is executed."""
    connections_limit: int
    """How many connections the pools may open together."""

    def __init__(self, config: Config) -> None:
        sizes = split(config.database_pool_size + config.database_pool_overflow)
        self._pool = Pool(config, config.database_url, sizes[0])
        url = config.database_read_url
        self._replica = Pool(config, url, sizes[0]) if url else None
        self.connections_limit = sum(sizes) + (sizes[0] if url else 0)
        self._is_traced = config.tracing
        self.observe = _count
        self.engine = make_engine(config, sizes[1])
        self._sessions = async_sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"),
            class_=Session,
            sync_session_class=TransactionalSession,
            expire_on_commit=False,
        )

    @property
    def primary(self) -> "Primary":
        """Runs prepared queries past the replica."""
        return Primary(self)

    async def fetch(self, query: PreparedQuery[Row]) -> list[Row]:
        """All rows; raises SQLAlchemy's `DBAPIError`, and `TimeoutError` without a connection."""
        return await self.run(query, on_primary=False)

    async def fetch_one(self, query: PreparedQuery[Fields]) -> Fields | None:
        """The only row, or None."""
        rows = await self.fetch(query)
        return rows[0] if rows else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """A session: committed at the end, then its `after_commit` callbacks are run."""
        async with self._sessions() as session:
            session.observe = self.observe
            session.is_traced = self._is_traced
            try:
                yield session
                require_commit_in_time(session)
            except BaseException:
                await end_transaction(session, commits=False)
                raise
            await end_transaction(session, commits=True)
        await run_after_commit(session, self.publish_topics)

    async def publish(self, topics: Iterable[str]) -> None:
        """Publish the events of a single write that has been executed."""
        if self.publish_topics is not None:
            await self.publish_topics(topics)

    @property
    def connections_in_use(self) -> int:
        """How many connections are acquired at this moment, the replica's among them."""
        pool = self.engine.sync_engine.pool
        sessions = pool.checkedout() if isinstance(pool, QueuePool) else 0
        return sessions + self._pool.in_use + (self._replica.in_use if self._replica else 0)

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()
        await self._pool.close()
        if self._replica is not None:
            await self._replica.close()

    async def run(self, query: PreparedQuery[Row], *, on_primary: bool) -> list[Row]:
        """As `fetch`, on the primary or where reads go."""
        pool = self._pool if on_primary or self._replica is None else self._replica
        comment = sql_comment() if self._is_traced else ""
        async with pool.acquire() as connection:
            self.observe(query)
            with translated(query.compiled.sql, connection):
                return await query.fetch(connection, comment)


class Primary:
    """Runs prepared queries on the primary: writes, and reads that must not lag."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch(self, query: PreparedQuery[Row]) -> list[Row]:
        """All rows, as `Database.fetch`."""
        return await self._database.run(query, on_primary=True)

    async def fetch_one(self, query: PreparedQuery[Fields]) -> Fields | None:
        """The only row, or None."""
        rows = await self.fetch(query)
        return rows[0] if rows else None


def split(connections: int) -> tuple[int, int]:
    """How many of a process's connections are for `Database`, and how many for `Session`."""
    sessions = max(1, connections // 3)
    return max(1, connections - sessions), sessions


def _count(_query: object) -> None:
    logs.count_statement()

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
from wxc.db.errors import translate_errors
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

    Reads go to the replica if there is one; `primary` is for writes, for reads that must not lag
    and for checks that guard a write. The application creates it at startup and closes it at
    shutdown; the database may become available later.
    """

    publish_topics: Publish | None = None
    """Called with the topics of events after a COMMIT."""
    observe: Observe
    """Called with each query before it is executed."""
    max_connections: int
    """The number of connections that the pools may open together."""

    def __init__(self, config: Config) -> None:
        prepared_size, session_size = split_pool_size(
            config.database_pool_size + config.database_pool_overflow
        )
        self._pool = Pool(config, config.database_url, prepared_size)
        url = config.database_read_url
        self._replica = Pool(config, url, prepared_size) if url else None
        self.max_connections = prepared_size + session_size + (prepared_size if url else 0)
        self._is_traced = config.tracing
        self.observe = _count_statement
        self.engine = make_engine(config, session_size)
        self._sessions = async_sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"),
            class_=Session,
            sync_session_class=TransactionalSession,
            expire_on_commit=False,
        )

    @property
    def primary(self) -> "Primary":
        """The handle that never reads from the replica."""
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
        """Open a session; commit it at the end, then run its `after_commit` callbacks."""
        async with self._sessions() as session:
            session.observe = self.observe
            session.is_traced = self._is_traced
            try:
                yield session
                require_commit_in_time(session)
            except BaseException:
                await end_transaction(session, commit=False)
                raise
            await end_transaction(session, commit=True)
        await run_after_commit(session, self.publish_topics)

    async def publish(self, topics: Iterable[str]) -> None:
        """Publish the events of a single write that has been executed."""
        if self.publish_topics is not None:
            await self.publish_topics(topics)

    @property
    def has_replica(self) -> bool:
        return self._replica is not None

    @property
    def connections_in_use(self) -> int:
        """The number of connections in use, including the replica's."""
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
        """As `fetch`; on the replica, if there is one, unless `on_primary`."""
        pool = self._pool if on_primary or self._replica is None else self._replica
        comment = sql_comment() if self._is_traced else ""
        async with pool.acquire() as connection:
            self.observe(query)
            with translate_errors(query.compiled.sql, connection):
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


def split_pool_size(connections: int) -> tuple[int, int]:
    """Split the connections of a process into those for `Database` and those for `Session`."""
    sessions = max(1, connections // 3)
    return max(1, connections - sessions), sessions


def _count_statement(_query: object) -> None:
    logs.count_statement()

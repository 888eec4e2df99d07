"""One engine for writing, one for reading; who commits, and what follows a COMMIT."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Result, Row, Select, event
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core.config import Config

# SQLAlchemy types rows by their columns; these are for those whose columns vary.
AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]
IdColumn = ColumnElement[UUID] | InstrumentedAttribute[UUID]
AfterCommit = Callable[[], Awaitable[None]]


class Reader(Protocol):
    """What a reading repository needs; writing through it does not type-check."""

    async def execute(
        self,
        statement: AnySelect | CompoundSelect[*tuple[Any, ...]],
        parameters: Mapping[str, Any] | None = None,
        /,
    ) -> Result[*tuple[Any, ...]]:
        """Run a SELECT."""
        ...


class Database:
    """The engines of one process; made by the application's start, closed by its end."""

    def __init__(self, config: Config) -> None:
        self.writer = _engine(config, config.database_url)
        self._own_reader = (
            _engine(config, config.database_read_url) if config.database_read_url else None
        )
        # AUTOCOMMIT spares a read its BEGIN and ROLLBACK: two round trips of three.
        self._reader = (self._own_reader or self.writer).execution_options(
            isolation_level="AUTOCOMMIT"
        )
        self._guard = self.writer.execution_options(isolation_level="AUTOCOMMIT")
        self._sessions = async_sessionmaker(self.writer, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A writing session: committed at the end, then its `after_commit` callbacks are run."""
        async with self._sessions() as session:
            async with session.begin():
                yield session
            await run_after_commit(session)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """A connection for SELECTs, perhaps to a replica: nothing read here guards a write."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def guarding(self) -> AsyncIterator[Reader]:
        """A connection for SELECTs on the writer: what decides whether a request may go on."""
        async with self._guard.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.writer.dispose()
        if self._own_reader is not None:
            await self._own_reader.dispose()


def after_commit(session: AsyncSession, callback: AfterCommit) -> None:
    """Have `callback` awaited after this transaction's COMMIT and before the answer."""
    session.info.setdefault("after_commit", []).append(callback)


async def run_after_commit(session: AsyncSession) -> None:
    """Await what was registered with `after_commit`, in order."""
    for callback in session.info.pop("after_commit", []):
        await callback()


def _engine(config: Config, url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=config.database_pool_size,
        max_overflow=config.database_pool_overflow,
        pool_timeout=config.database_pool_wait,
        pool_pre_ping=True,
        pool_recycle=300,
        pool_use_lifo=True,
        skip_autocommit_rollback=True,
        connect_args={"timeout": config.database_connect_timeout},
    )
    event.listen(engine.sync_engine, "connect", _set_timeouts(config))
    return engine


def _set_timeouts(config: Config) -> Callable[[Any, Any], None]:
    """Bounds for every statement, set in the session: PgBouncer refuses start-up parameters."""
    bounds = {
        "statement_timeout": config.database_statement_timeout,
        "lock_timeout": config.database_lock_timeout,
        "idle_in_transaction_session_timeout": config.database_idle_timeout,
    }
    statement = "; ".join(f"SET {name} = {round(value * 1000)}" for name, value in bounds.items())

    def set_timeouts(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's
        connection.run_async(lambda driver: driver.execute(statement))

    return set_timeouts

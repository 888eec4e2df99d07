"""One engine for writing, one for reading; who commits, and what follows a COMMIT."""

import time
from collections import namedtuple
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol, cast
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    DateTime,
    Executable,
    Result,
    Row,
    Select,
    case,
    event,
    func,
    make_url,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from wxc.core import clock
from wxc.core import logging as logs
from wxc.core.borrowing import Borrower
from wxc.core.config import Config
from wxc.core.errors import Retry
from wxc.core.ids import new_id
from wxc.core.native import DRIVER_ERRORS
from wxc.core.tracing import sql_comment

# SQLAlchemy types rows by their columns; these are for those whose columns vary.
AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]
AnyResult = Result[*tuple[Any, ...]]
AnyEntity = Any
"""A table, an alias or a subquery: what has columns by name, each of them typed differently."""
IdColumn = ColumnElement[UUID] | InstrumentedAttribute[UUID]
IntColumn = ColumnElement[int] | InstrumentedAttribute[int]
# How long before its COMMIT an id may be drawn; pollers look back a little further.
LATEST_COMMIT = timedelta(seconds=1.5)
_DIVISION_BY_ZERO = "22012"
_TRUSTED_IDLE = 1.0  # seconds
_KEPT_PREPARED = 100
_PLANNER = {"jit": "off", "cpu_operator_cost": "0.02"}
AfterCommit = Callable[[], Awaitable[None]]
Publish = Callable[[Iterable[str]], Awaitable[None]]


def rows_of(result: Result[*tuple[Any, ...]]) -> list[AnyRow]:
    """All rows of a list, with columns that are read by name at a tenth of what a `Row`'s cost."""
    row_type = _named_tuple(tuple(result.keys()))
    return [row_type._make(row) for row in result.all()]


@lru_cache(1000)
def _named_tuple(names: tuple[str, ...]) -> Any:  # noqa: ANN401 - a class as no type describes it
    return namedtuple("Row", names)


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


class Writer(Protocol):
    """What a repository needs that writes in one statement, in a transaction or without one."""

    async def execute(self, statement: Executable, parameters: Mapping[str, Any], /) -> AnyResult:
        """Run it."""
        ...


class SingleWrite(Writer, Protocol):
    """A `Writer` whose statements are transactions by themselves.

    When one has been executed it is committed, and when it raises nothing has happened.
    """

    async def publish(self, topics: Iterable[str]) -> None:
        """Wake those who wait for what it has written."""
        ...


UNREACHABLE = (SQLAlchemyError, OSError, *DRIVER_ERRORS)
"""What a database that is not there, or not itself, may raise."""


class Database:
    """The engines of one process; made by the application's start, closed by its end."""

    publish: "Publish | None" = None
    """What wakes those who wait for the topics of a transaction that has committed."""

    def __init__(self, config: Config) -> None:
        self.writer = _engine(config, config.database_url)
        self._own_reader = (
            _engine(config, config.database_read_url) if config.database_read_url else None
        )
        # AUTOCOMMIT spares a read its BEGIN and ROLLBACK: two round trips of three.
        places, patience = (
            config.database_pool_size + config.database_pool_overflow,
            config.database_pool_wait,
        )
        reader = (self._own_reader or self.writer).execution_options(isolation_level="AUTOCOMMIT")
        self._reading = Borrower(reader, places, patience, is_traced=config.tracing)
        self._guard = self.writer.execution_options(isolation_level="AUTOCOMMIT")
        self._writing = Borrower(self._guard, places, patience, is_traced=config.tracing)
        self._sessions = async_sessionmaker(self.writer, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A writing session: committed at the end, then its `after_commit` callbacks are run."""
        async with self._sessions() as session:
            async with session.begin():
                yield session
                _refuse_late(session)
            await run_after_commit(session, self.publish)

    @property
    def reader(self) -> Reader:
        """For SELECTs, perhaps of a replica: nothing that is read here guards a write."""
        return self._reading

    @asynccontextmanager
    async def guarding(self) -> AsyncIterator[Reader]:
        """A connection for SELECTs on the writer: what decides whether a request may go on."""
        async with self._guard.connect() as connection:
            yield connection

    @property
    def single_write(self) -> SingleWrite:
        """For a statement that is a transaction by itself: no session, two round trips fewer."""
        return _SingleWrite(self._writing.execute, self.publish)

    @property
    def connections_in_use(self) -> int:
        """How many of the pool's connections are lent at this moment, the replica's among them."""
        engines = (self.writer, self._own_reader)
        pools = [one.sync_engine.pool for one in engines if one is not None]
        return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.writer.dispose()
        if self._own_reader is not None:
            await self._own_reader.dispose()


@dataclass(frozen=True, slots=True)
class _SingleWrite:
    """A `SingleWrite`; without anybody to publish, nobody is woken."""

    run: Callable[[Executable, Mapping[str, Any]], Awaitable[AnyResult]]
    publisher: Publish | None

    async def execute(self, statement: Executable, parameters: Mapping[str, Any], /) -> AnyResult:
        return await self.run(statement, parameters)

    async def publish(self, topics: Iterable[str]) -> None:
        if self.publisher is not None:
            await self.publisher(topics)


def draw_id(session: AsyncSession) -> UUID:
    """A fresh id for a row of a list; the transaction must commit soon, see `pagination`."""
    identifier = new_id()
    session.info.setdefault("drawn_at", clock.now())
    return identifier


def _refuse_late(session: AsyncSession) -> None:
    """An id that becomes visible long after it was drawn would be missed by those who poll."""
    drawn_at = session.info.pop("drawn_at", None)
    if drawn_at is not None and clock.now() - drawn_at > LATEST_COMMIT:
        raise Retry("an id was drawn too long before its COMMIT")


def unless_late(count: IntColumn, latest: datetime) -> ColumnElement[int]:
    """The count, for the RETURNING of a statement that has drawn an id and may then have waited.

    After `latest` pollers have looked past the id: the statement fails, see `refusing_late`. What
    is returned is worked out when the row is there; what is SET may be so before the wait.
    """
    is_in_time = func.clock_timestamp() < type_coerce(latest, DateTime(timezone=True))
    return case((is_in_time, count), else_=1 // (count - count))


@contextmanager
def refusing_late() -> Iterator[None]:
    """Raises `Retry` where `unless_late` has made a statement fail."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _DIVISION_BY_ZERO:
            raise Retry("an id was drawn too long before it could be counted") from error
        raise


def after_commit(session: AsyncSession, callback: AfterCommit) -> None:
    """Have `callback` awaited after this transaction's COMMIT and before the answer."""
    session.info.setdefault("after_commit", []).append(callback)


async def run_after_commit(session: AsyncSession, publish: Publish | None) -> None:
    """Await what was registered with `after_commit`, in order; then publish what was announced."""
    for callback in session.info.pop("after_commit", []):
        await callback()
    topics = session.info.pop("topics", None)
    if topics and publish is not None:
        await publish(topics)


def _engine(config: Config, url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=config.database_pool_size,
        max_overflow=config.database_pool_overflow,
        pool_timeout=config.database_pool_wait,
        pool_recycle=300,
        pool_use_lifo=True,
        skip_autocommit_rollback=True,
        hide_parameters=True,  # an error that is logged must not hold hashes or addresses
        json_deserializer=from_json,  # in half the time of the standard library's
        connect_args=_driver_settings(config, url),
    )
    event.listen(engine.sync_engine, "connect", _set_timeouts(config))
    event.listen(engine.sync_engine, "checkin", _note_return)
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    event.listen(engine.sync_engine, "before_cursor_execute", _count_statement)
    if config.tracing:
        event.listen(engine.sync_engine, "before_cursor_execute", _sign_statement, retval=True)
    return engine


def _driver_settings(config: Config, url: str) -> dict[str, Any]:
    """As many statements are kept prepared for the driver's own ways as for SQLAlchemy's."""
    size = make_url(url).query.get("prepared_statement_cache_size", _KEPT_PREPARED)
    return {
        "timeout": config.database_connect_timeout,
        "statement_cache_size": int(cast(str, size)),
        "max_cacheable_statement_size": 0,  # whatever their length: it is the long ones that cost
    }


def _note_return(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["returned_at"] = time.monotonic()


def _refuse_dead(connection: Any, record: ConnectionPoolEntry, _lent: object) -> None:  # noqa: ANN401
    """Let the pool connect anew in place of a connection that has ended while it was idle.

    The driver knows of every end that the network has told it. To ask the server itself takes
    three round trips: only for who has been idle for so long that a firewall may have forgotten it.
    """
    returned_at = record.info.get("returned_at")
    if returned_at is None:
        return
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if time.monotonic() - returned_at > _TRUSTED_IDLE:
        try:
            connection.ping()
        except connection.dbapi.Error as error:
            raise InvalidatePoolError from error


def _count_statement(*_: object) -> None:
    logs.count_statement()


def _sign_statement(
    _connection: object, _cursor: object, statement: str, parameters: object, *_: object
) -> tuple[str, object]:
    """Let the server's log and `pg_stat_activity` tell which request this is of."""
    return sql_comment() + statement, parameters


def _set_timeouts(config: Config) -> Callable[[Any, Any], None]:
    """Bounds for every statement, set in the session: PgBouncer refuses start-up parameters.

    And no compiling: it takes longer than any statement of ours that it could speed up. To plan
    one takes as long as to execute it, and PostgreSQL reckons with a twentieth of that, by this
    cost: it would plan the second page of a feed for every request, and the first one never.
    """
    bounds = {
        "statement_timeout": config.database_statement_timeout,
        "lock_timeout": config.database_lock_timeout,
        "idle_in_transaction_session_timeout": config.database_idle_timeout,
    }
    values = {name: str(round(value * 1000)) for name, value in bounds.items()} | _PLANNER
    settings = ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in values.items()
    )

    def set_timeouts(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's
        # By a cursor and not by the driver itself, whose errors nobody would translate.
        cursor = connection.cursor()
        cursor.execute(f"SELECT {settings}")
        cursor.close()
        connection.commit()  # a rollback would take the bounds back

    return set_timeouts

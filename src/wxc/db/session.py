from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias, TypeVar, cast

import asyncpg
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.util import await_only

from wxc.core.tracing import sql_comment
from wxc.db.errors import is_lost, translate_errors
from wxc.db.prepared import PreparedQuery

Row = TypeVar("Row", bound=tuple[Any, ...] | None)
Fields = TypeVar("Fields", bound=tuple[Any, ...])
DriverConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
AfterCommit = Callable[[], Awaitable[None]]
Publish = Callable[[Iterable[str]], Awaitable[None]]
Observe = Callable[[PreparedQuery[Any]], None]


class Session(AsyncSession):
    """SQLAlchemy's session in one transaction; it also runs prepared queries, as `Database` does.

    It acquires a connection for its first statement.
    """

    observe: Observe
    is_traced: bool = False

    async def fetch(self, query: PreparedQuery[Row]) -> list[Row]:
        """All rows of a prepared query; raises SQLAlchemy's `DBAPIError`."""
        driver = await driver_connection(self)
        self.observe(query)
        try:
            with translate_errors(query.compiled.sql, driver):
                return await query.fetch(driver, sql_comment() if self.is_traced else "")
        except BaseException as error:
            if not isinstance(error, Exception):
                await self.invalidate()  # cancelled in the middle of a statement
            raise

    async def fetch_one(self, query: PreparedQuery[Fields]) -> Fields | None:
        """The only row of a prepared query, or None."""
        rows = await self.fetch(query)
        return rows[0] if rows else None


class TransactionalSession(SyncSession):
    """Sends BEGIN before it returns its connection.

    SQLAlchemy's adapter sends BEGIN with its own first statement, so an earlier prepared query
    would commit by itself. Therefore SQLAlchemy uses the connection in autocommit, and the driver
    runs the transaction, at half the cost of SQLAlchemy's.
    """


@event.listens_for(TransactionalSession, "after_begin")
def _begin(session: SyncSession, _: SessionTransaction, connection: SyncConnection) -> None:
    driver = cast("DriverConnection", connection.connection.driver_connection)
    transaction = driver.transaction()
    with translate_errors("BEGIN", driver):
        await_only(transaction.start())
    session.info["transaction"] = driver, transaction


async def end_transaction(session: Session, *, commit: bool) -> None:
    """Commit or roll back the transaction that `_begin` has started, if any."""
    started = session.info.pop("transaction", None)
    if started is None:
        return
    driver, transaction = started
    if not commit and is_lost(driver):
        return
    try:
        with translate_errors("COMMIT" if commit else "ROLLBACK", driver):
            await (transaction.commit() if commit else transaction.rollback())
    except DBAPIError:
        raise  # the server has ended the transaction
    except BaseException:
        driver.terminate()
        raise


async def driver_connection(session: AsyncSession) -> DriverConnection:
    """asyncpg's connection, in the session's transaction.

    Only the first statement pays for the two greenlets that SQLAlchemy needs to return it.
    """
    if started := session.info.get("transaction"):
        return cast("DriverConnection", started[0])
    raw = await (await session.connection()).get_raw_connection()
    return cast("DriverConnection", raw.driver_connection)


def after_commit(session: AsyncSession, callback: AfterCommit) -> None:
    """Register a callback to await after this transaction's COMMIT and before the response."""
    session.info.setdefault("after_commit", []).append(callback)


async def run_after_commit(session: AsyncSession, publish: Publish | None) -> None:
    """Await the callbacks of `after_commit` in order; then publish the events."""
    for callback in session.info.pop("after_commit", []):
        await callback()
    topics = session.info.pop("topics", None)
    if topics and publish is not None:
        await publish(topics)

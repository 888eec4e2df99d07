"""Databases for tests: clones of a template, and one that lives in a single transaction."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from wxc.core.database import Database, Reader, SingleWrite, _SingleWrite, run_after_commit
from wxc.core.logging import facts
from wxc.core.native import NativeStatement, native_form


class OneConnection(Database):
    """All sessions on one connection, whose outer transaction the test undoes.

    Every session is a new one, so nothing that a fixture has loaded can hide a missing load.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self._turn = asyncio.Lock()  # savepoints nest: those of two requests at once would not

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        session = AsyncSession(
            self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        async with session:
            async with self._turn, session.begin():
                yield session
            await run_after_commit(session, self.publish)

    @property
    def single_write(self) -> SingleWrite:
        return _SingleWrite(self._write, self.publish)

    async def _write(self, *statement: Any) -> Any:
        async with self._turn, self.connection.begin_nested():
            return await self._execute(*statement)

    async def _read(self, statement: Any, parameters: Any = None, /) -> Any:
        """What is executed by the driver itself is held against what SQLAlchemy makes of it.

        But not their order: without an ORDER BY each plan has its own.
        """
        async with self._turn:
            result = await self._execute(statement, parameters)
            if native_form(statement, self.connection.dialect) is None:
                return result
            rows = result.freeze()
            with _unnoted():
                expected = await self.connection.execute(statement, parameters)
            assert list(result.keys()) == list(expected.keys())
            assert _with_types(rows().all()) == _with_types(expected.all())
            return rows()

    async def _execute(self, statement: Any, parameters: Any = None, /) -> Any:
        native = native_form(statement, self.connection.dialect)
        if native is None:
            return await self.connection.execute(statement, parameters)
        lent: Any = await self.connection.get_raw_connection()
        async with lent.dbapi_connection._execute_mutex:
            return await native.fetch(lent.driver_connection, parameters or {})

    @property
    def reader(self) -> Reader:
        return _OwnReader(self._read)

    @asynccontextmanager
    async def guarding(self) -> AsyncIterator[Reader]:
        yield _OwnReader(self._read)


@dataclass(frozen=True)
class _OwnReader:
    """Executes as a `Reader` in production does, whose connections are borrowed."""

    execute: Any


def _with_types(rows: Any) -> Any:
    return sorted(([(type(value), value) for value in row] for row in rows), key=repr)


_is_unnoted = ContextVar("is_unnoted", default=False)


@contextmanager
def _unnoted() -> Iterator[None]:
    """What is executed by the tests and not by what they test is in no log."""
    token = _is_unnoted.set(True)
    try:
        yield
    finally:
        _is_unnoted.reset(token)


class StatementLog:
    """The SQL statements that a connection has run with their parameters, savepoints left out."""

    def __init__(self, *, of_requests: bool = False) -> None:
        """`of_requests`: what background tasks run meanwhile is left out too."""
        self._of_requests = of_requests
        self.statements: list[str] = []
        self.parameters: list[Any] = []

    @contextmanager
    def watching(self, where: AsyncConnection | AsyncEngine) -> Iterator["StatementLog"]:
        """Note what runs on this connection, or on any of this engine."""
        target = where.sync_connection if isinstance(where, AsyncConnection) else where.sync_engine

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            is_meant = not self._of_requests or facts.get() is not None
            if is_meant and not _is_unnoted.get() and "SAVEPOINT" not in statement:
                self.statements.append(statement)
                self.parameters.append(parameters)

        async def fetch(native: NativeStatement, connection: Any, parameters: Any) -> Any:
            note(None, None, native.sql, tuple(native.values(parameters)))
            return await own_fetch(native, connection, parameters)

        own_fetch = NativeStatement.fetch
        event.listen(target, "before_cursor_execute", note)
        NativeStatement.fetch = fetch  # type: ignore[method-assign,assignment]
        try:
            yield self
        finally:
            NativeStatement.fetch = own_fetch  # type: ignore[method-assign]
            event.remove(target, "before_cursor_execute", note)


def renamed(url: str, name: str) -> str:
    """The same server, another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def administer(url: str, *statements: str) -> None:
    """Run statements that cannot run in a transaction."""
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def clone_database(url: str, template: str, name: str) -> str:
    """A copy of `template` under a new name; its address."""
    await administer(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return renamed(url, name)


async def drop_database(url: str, name: str) -> None:
    """Drop the database, whoever is still connected."""
    await administer(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

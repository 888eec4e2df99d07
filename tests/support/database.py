"""Databases for tests: clones of a template, and one that lives in a single transaction."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import asyncpg
from sqlalchemy import column, event, func, make_url, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wxc.core.logging import count_statement, request_fields
from wxc.db.commits import require_commit_in_time
from wxc.db.database import Database
from wxc.db.errors import translate_errors
from wxc.db.keyset import AnySelect
from wxc.db.prepared import PreparedQuery, prepared
from wxc.db.session import Observe, Session, run_after_commit

Row = TypeVar("Row", bound=tuple[Any, ...] | None)


class SingleConnectionDatabase(Database):
    """Both handles on one connection, whose outer transaction the test rolls back.

    A lock serialises their use of it, and each write has a savepoint: each handle sees the
    uncommitted rows of the other, and a refused write undoes only itself. Every session is a new
    one, so nothing that a fixture has loaded can hide a missing load.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.observe = _observe
        self._replica = None
        self._lock = asyncio.Lock()  # savepoints of concurrent requests would not nest

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        session = _TestSession(
            self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        session.observe = self.observe
        async with session:
            async with self._lock, session.begin():
                yield session
                require_commit_in_time(session)
            await run_after_commit(session, self.publish_topics)

    async def run(self, query: PreparedQuery[Row], *, on_primary: bool) -> list[Row]:
        """Also execute reads by SQLAlchemy and compare the rows, values and types.

        Not their order: without an ORDER BY it depends on the plan.
        """
        async with self._lock:
            if is_read(query):
                return await _fetch_and_compare(self.connection, query, self.observe)
            async with self.connection.begin_nested():
                return await _fetch_and_compare(self.connection, query, self.observe)


class _TestSession(Session):
    """A session on the test's connection, which compares its reads too."""

    async def fetch(self, query: PreparedQuery[Row]) -> list[Row]:
        return await _fetch_and_compare(await self.connection(), query, self.observe)


async def _fetch_and_compare(
    connection: AsyncConnection, query: PreparedQuery[Row], observe: Observe
) -> list[Row]:
    sql = query.compiled.sql
    observe(query)
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    with translate_errors(sql, driver):
        rows = await query.fetch(driver)
    if is_read(query):
        with _unlogged():
            found = await connection.execute(query.compiled.statement, dict(query.parameters))
        assert _with_types(rows) == _with_types([query.make_row(row) for row in found])
        assert_annotated_types(rows)
    return rows


def is_read(query: PreparedQuery[Any]) -> bool:
    """Whether the query neither writes nor locks, so that it may be executed twice."""
    words = query.compiled.sql.upper()
    return not any(word in words for word in ("INSERT INTO", "UPDATE", "DELETE FROM"))


def assert_annotated_types(rows: Sequence[Any]) -> None:
    """Assert that the values of the rows have the types that their class declares."""
    for row in rows[:3]:
        for name, hint in ({} if row is None else _hints(type(row))).items():
            value = getattr(row, name)
            assert isinstance(value, hint), (type(row), name, value)


def _hints(row_type: type) -> dict[str, Any]:
    """The annotations as `isinstance` takes them; those with parameters by their origin."""
    hints: dict[str, Any] = {}
    for name, hint in get_type_hints(row_type).items():
        parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        plain = tuple(get_origin(part) or part for part in parts)
        if Any not in plain:
            hints[name] = plain
    return hints


def _observe(query: PreparedQuery[Any]) -> None:
    """Add the statement of a prepared query to the active logs."""
    count_statement()
    if not _is_unlogged.get():
        for log in _active_logs:
            log.note(query.compiled.sql, tuple(query.arguments))


_active_logs: list["StatementLog"] = []


def _with_types(rows: Any) -> Any:
    return sorted(([(type(value), value) for value in row or ()] for row in rows), key=repr)


_is_unlogged = ContextVar("is_unlogged", default=False)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep statements of the test itself out of the logs."""
    token = _is_unlogged.set(True)
    try:
        yield
    finally:
        _is_unlogged.reset(token)


class StatementLog:
    """The SQL statements of a connection with their parameters, without savepoints."""

    def __init__(self, *, of_requests: bool = False) -> None:
        """`of_requests` also omits the statements of background tasks."""
        self._of_requests = of_requests
        self.statements: list[str] = []
        self.parameters: list[Any] = []

    def note(self, statement: str, parameters: Any) -> None:
        is_included = not self._of_requests or request_fields.get() is not None
        if is_included and not _is_unlogged.get() and "SAVEPOINT" not in statement:
            self.statements.append(statement)
            self.parameters.append(parameters)

    @contextmanager
    def watching(self, where: AsyncConnection | AsyncEngine | Database) -> Iterator["StatementLog"]:
        """Log the statements of this connection, engine or database."""
        target = where.engine if isinstance(where, Database) else where
        sync = target.sync_connection if isinstance(target, AsyncConnection) else target.sync_engine

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            self.note(statement, parameters)

        event.listen(sync, "before_cursor_execute", note)
        _active_logs.append(self)
        observe = where.observe if isinstance(where, Database) else None
        if isinstance(where, Database):
            where.observe = _observe
        try:
            yield self
        finally:
            if isinstance(where, Database) and observe is not None:
                where.observe = observe
            _active_logs.remove(self)
            event.remove(sync, "before_cursor_execute", note)


def renamed(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def owner_url(url: str) -> str:
    """The URL of the same database for the owner of its schema, a superuser."""
    server = make_url(os.environ["WXC_TEST_DATABASE_URL"])
    owned = make_url(url).set(username=server.username, password=server.password)
    return owned.render_as_string(hide_password=False)


async def become_owner(connection: AsyncConnection) -> None:
    """Leave the service's role for the rest of the test, for what only the owner may do."""
    await connection.execute(text("RESET ROLE"))


async def administer(url: str, *statements: str) -> None:
    """Run statements as the owner, outside of a transaction."""
    connection = await asyncpg.connect(owner_url(url).replace("+asyncpg", "", 1))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def clone_database(url: str, template: str, name: str) -> str:
    """Copy `template` under a new name; returns the URL for the role of the service."""
    await administer(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return renamed(os.environ["WXC_TEST_SERVICE_URL"], name)


async def drop_database(url: str, name: str) -> None:
    """Drop the database, closing its connections."""
    await administer(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def drop_databases(url: str, prefix: str) -> None:
    """Drop all databases whose names start so."""
    connection = await asyncpg.connect(owner_url(url).replace("+asyncpg", "", 1))
    try:
        names = await connection.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix
        )
    finally:
        await connection.close()
    for (name,) in names:
        await drop_database(url, name)


class _Blocked(NamedTuple):
    pid: int


@prepared(_Blocked)
def _blocked_backends() -> AnySelect:
    activity = func.pg_stat_get_activity(None).table_valued("pid", "datid", "wait_event_type")
    own: Any = (
        select(column("oid"))
        .select_from(table("pg_database"))
        .where(column("datname") == func.current_database())
    )
    return select(activity.c.pid).where(
        activity.c.datid == own.scalar_subquery(), activity.c.wait_event_type == "Lock"
    )


async def wait_until_blocked(database: Database) -> None:
    """Wait until a statement waits for a lock of another transaction."""
    async with asyncio.timeout(30):
        while not await database.fetch(_blocked_backends()):  # noqa: ASYNC110 - polls the database
            await asyncio.sleep(0.01)

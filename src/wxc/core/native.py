"""Built statements as the driver takes them.

SQLAlchemy's way to a row costs more than to send the statement and to read what comes back: a
context, a cursor and a greenlet for each execution. What it adds for a statement that never
changes is the same each time, and is worked out here once, of its own public parts: the SQL, the
order of the values, what turns them into the driver's types, and rows into ours.
"""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

import asyncpg
from sqlalchemy import Dialect, Executable, Result
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql import Selectable
from sqlalchemy.sql.compiler import SQLCompiler

from wxc.db.errors import DRIVER_ERRORS

E = TypeVar("E", bound=Executable)
_OPTION = "native"
Process = Callable[[Any], Any] | None
"""What turns a value into one of the other side; None where it may stay as it is."""
DriverConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class _Own:
    """What a statement holds among its execution options, which those made of it inherit."""

    def __init__(self) -> None:
        self.owner: weakref.ref[Executable] | None = None
        self.native: NativeStatement | None = None


class NativeStatement:
    """A statement in PostgreSQL's own words, for any number of executions by asyncpg."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        """Raises `TypeError` for a statement whose SQL depends on its values, such as `IN`."""
        compiled = cast(SQLCompiler, cast(Any, statement).compile(dialect=dialect))
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError(f"the SQL depends on values: {statement}")
        self.sql = str(compiled)
        self._dialect = dialect
        self._types = [one.type for one in cast(Selectable, statement).exported_columns]
        self._places = [self._place(compiled, name) for name in compiled.positiontup or ()]
        self._metadata: SimpleResultMetaData | None = None
        self._processes: Sequence[tuple[int, Callable[[Any], Any]]] = ()

    async def fetch(
        self, connection: DriverConnection, parameters: Mapping[str, Any]
    ) -> Result[*tuple[Any, ...]]:
        """The rows, all of them read; raises SQLAlchemy's `DBAPIError` with asyncpg's in it."""
        values = self.values(parameters)
        try:
            if self._metadata is None:
                self._metadata = await self._described(connection)
            records = await connection.fetch(self.sql, *values)
        except DRIVER_ERRORS as error:
            raise _translated(error, self.sql, connection) from error
        rows = self._processed(records) if self._processes else iter(records)
        return IteratorResult(self._metadata, cast(Any, rows))

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """What takes the places of `$1` and so on; raises `KeyError` where one is not given."""
        return [
            own
            if name is None
            else (parameters[name] if process is None else process(parameters[name]))
            for name, own, process in self._places
        ]

    def _processed(self, records: Sequence[asyncpg.Record]) -> Iterator[tuple[Any, ...]]:
        for record in records:
            row = list(record)
            for at, process in self._processes:
                row[at] = process(row[at])
            yield tuple(row)

    def _place(self, compiled: SQLCompiler, name: str) -> tuple[str | None, Any, Process]:
        """The name of the parameter, or the statement's own value for this place."""
        bound = compiled.binds[name]
        process = bound.type.dialect_impl(self._dialect).bind_processor(self._dialect)
        if bound.required:
            return name, None, process
        value = bound.effective_value
        return None, value if process is None else process(value), None

    async def _described(self, connection: DriverConnection) -> SimpleResultMetaData:
        """The names of the columns; a type may want to know as what PostgreSQL will send them."""
        attributes = (await connection.prepare(self.sql)).get_attributes()
        processes = [
            type_.dialect_impl(self._dialect).result_processor(self._dialect, attribute.type.oid)
            for type_, attribute in zip(self._types, attributes, strict=True)
        ]
        self._processes = [(at, one) for at, one in enumerate(processes) if one is not None]
        return SimpleResultMetaData([attribute.name for attribute in attributes])


def with_native_form(statement: E) -> E:
    """The statement, which keeps its native form once there is one.

    It must be there for long, with values that are all parameters.
    """
    own = _Own()
    made = statement.execution_options(**{_OPTION: own})
    own.owner = weakref.ref(made)
    return made


def native_form(statement: Executable, dialect: Dialect) -> NativeStatement | None:
    """What the driver takes; None for a statement that is not kept, or was made of one that is.

    The first engine's dialect serves all engines: they are made by one function.
    """
    own: _Own | None = statement.get_execution_options().get(_OPTION)
    if own is None or own.owner is None or own.owner() is not statement:
        return None
    if own.native is None:
        own.native = NativeStatement(statement, dialect)
    return own.native


def _translated(error: Exception, sql: str, connection: DriverConnection) -> DBAPIError:
    if isinstance(error, asyncpg.PostgresError):
        error.detail = None  # it quotes rows
    is_refused = isinstance(error, asyncpg.IntegrityConstraintViolationError)
    return (IntegrityError if is_refused else DBAPIError)(
        sql,
        None,
        error,
        hide_parameters=True,  # an error that is logged must not hold hashes or addresses
        connection_invalidated=connection.is_closed(),
    )

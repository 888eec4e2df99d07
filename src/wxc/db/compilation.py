"""Statements in PostgreSQL's words: SQLAlchemy compiles them, its types convert the values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

import asyncpg
from pydantic_core import from_json
from sqlalchemy import ClauseElement, Dialect, Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql import Selectable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Row = TypeVar("Row", bound=tuple[Any, ...] | None)
Process = Callable[[Any], Any] | None
"""Converts a value between PostgreSQL's driver and Python; None where it can stay as it is."""

_NUMERIC_OID = 1700


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """A statement in PostgreSQL's words, for any number of executions."""

    statement: Executable
    sql: str
    places: Sequence[tuple[str | None, Any, Process]]
    """For `$1` and so on: the parameter's name, or None and the statement's own value."""
    processes: Sequence[tuple[int, Callable[[Any], Any]]] = field(repr=False)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values of `$1` and so on."""
        return [
            own
            if name is None
            else (parameters[name] if process is None else process(parameters[name]))
            for name, own, process in self.places
        ]

    def rows(self, records: Sequence[asyncpg.Record], make: Callable[[Any], Row]) -> list[Row]:
        """The rows, each value as the column's SQLAlchemy type has it."""
        if not self.processes:
            return [make(record) for record in records]
        rows = []
        for record in records:
            values = list(record)
            for at, process in self.processes:
                values[at] = process(values[at])
            rows.append(make(values))
        return rows


def compile_statement(statement: Executable) -> CompiledStatement:
    """Compile for asyncpg.

    Raises `TypeError` where the SQL depends on values, such as `IN`, or a column on a default that
    SQLAlchemy computes for each execution.
    """
    compiled = cast(SQLCompiler, cast(ClauseElement, statement).compile(dialect=driver_dialect()))
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise TypeError(f"the SQL depends on values: {statement}")
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise TypeError(f"Python computes a default of a column, which has no value: {statement}")
    types = [one.type for one in cast(Selectable, statement).exported_columns]
    processes = [_result_process(one) for one in types]
    return CompiledStatement(
        statement,
        str(compiled),
        [_place(compiled, name) for name in compiled.positiontup or ()],
        [(at, process) for at, process in enumerate(processes) if process is not None],
    )


@cache
def driver_dialect() -> Dialect:
    """The dialect of all our engines and pools; it has no connection and no state of one."""
    make: Callable[..., Dialect] = asyncpg_dialect
    return make(json_deserializer=from_json)


def _place(compiled: SQLCompiler, name: str) -> tuple[str | None, Any, Process]:
    bound = compiled.binds[name]
    process = bound.type.dialect_impl(driver_dialect()).bind_processor(driver_dialect())
    if bound.required:
        return name, None, process
    value = bound.effective_value
    return None, value if process is None else process(value), None


def _result_process(type_: TypeEngine[Any]) -> Process:
    """The OID is needed by one type only, which reads NUMERIC; all others ignore it."""
    dialect = driver_dialect()
    return type_.dialect_impl(dialect).result_processor(dialect, _NUMERIC_OID)

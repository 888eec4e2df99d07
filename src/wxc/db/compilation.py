"""Compiles statements: SQLAlchemy generates the SQL, and its types convert the values."""

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
Processor = Callable[[Any], Any] | None
"""Converts a value between the driver and Python; None if the value needs no conversion."""

_NUMERIC_OID = 1700


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    statement: Executable
    sql: str
    placeholders: Sequence[tuple[str | None, Any, Processor]]
    """For each of `$1`, `$2`, …: a parameter's name and processor, or None and a constant."""
    result_processors: Sequence[tuple[int, Callable[[Any], Any]]] = field(repr=False)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values of `$1`, `$2`, …."""
        return [
            constant
            if name is None
            else (parameters[name] if process is None else process(parameters[name]))
            for name, constant, process in self.placeholders
        ]

    def rows(self, records: Sequence[asyncpg.Record], make_row: Callable[[Any], Row]) -> list[Row]:
        """The rows, each value converted by the column's SQLAlchemy type."""
        if not self.result_processors:
            return [make_row(record) for record in records]
        rows = []
        for record in records:
            values = list(record)
            for index, process in self.result_processors:
                values[index] = process(values[index])
            rows.append(make_row(values))
        return rows


def compile_statement(statement: Executable) -> CompiledStatement:
    """Compile for asyncpg.

    Raises `TypeError` if the SQL depends on values, as for `IN`, or if a column has a default that
    Python computes for each execution.
    """
    compiled = cast(SQLCompiler, cast(ClauseElement, statement).compile(dialect=driver_dialect()))
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise TypeError(f"the SQL depends on values: {statement}")
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise TypeError(f"Python computes a column's default for each execution: {statement}")
    columns = cast(Selectable, statement).exported_columns
    processors = [_result_processor(column.type) for column in columns]
    return CompiledStatement(
        statement,
        str(compiled),
        [_placeholder(compiled, name) for name in compiled.positiontup or ()],
        [(index, process) for index, process in enumerate(processors) if process is not None],
    )


@cache
def driver_dialect() -> Dialect:
    """The dialect of all engines and pools; it holds no connection state."""
    make_dialect: Callable[..., Dialect] = asyncpg_dialect
    return make_dialect(json_deserializer=from_json)


def _placeholder(compiled: SQLCompiler, name: str) -> tuple[str | None, Any, Processor]:
    bound = compiled.binds[name]
    process = bound.type.dialect_impl(driver_dialect()).bind_processor(driver_dialect())
    if bound.required:
        return name, None, process
    value = bound.effective_value
    return None, value if process is None else process(value), None


def _result_processor(type_: TypeEngine[Any]) -> Processor:
    """Only the type that reads NUMERIC uses the OID; all others ignore it."""
    dialect = driver_dialect()
    return type_.dialect_impl(dialect).result_processor(dialect, _NUMERIC_OID)

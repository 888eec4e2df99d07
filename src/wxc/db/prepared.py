"""Prepared queries: SQLAlchemy builds and compiles a statement once, asyncpg executes it.

If SQLAlchemy executed the statements, it would create a context, a cursor and a greenlet each time,
which costs more than sending a statement and reading its rows. See docs/decisions/0024.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import wraps
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    ParamSpec,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ClauseElement,
    ColumnElement,
    DateTime,
    Double,
    Executable,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Uuid,
    bindparam,
    literal_column,
)
from sqlalchemy.sql import Selectable
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.types import TypeEngine

from wxc.db.compilation import CompiledStatement, compile_statement

P = ParamSpec("P")
Row = TypeVar("Row", bound=tuple[Any, ...] | None)
Fields = TypeVar("Fields", bound=tuple[Any, ...])
Value = TypeVar("Value")
MAX_VARIANTS = 512
"""Per query; at this number, all are discarded, so that clients cannot exhaust the memory."""
_PREFIX = "p_"  # avoids the names of columns, which an INSERT uses for its own parameters
_TYPES: Mapping[type, TypeEngine[Any]] = {
    UUID: Uuid(),
    str: String(),
    bytes: LargeBinary(),
    bool: Boolean(),
    int: Integer(),
    float: Double(),
    Decimal: Numeric(),
    datetime: DateTime(timezone=True),
    timedelta: Interval(),
}


class VariantArgument(ABC):
    """A keyword argument that chooses a variant and has bind parameters, such as a page."""

    @property
    @abstractmethod
    def variant(self) -> Hashable:
        """Replaces the argument while the statement is built; the SQL may depend on it."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """Values for the bind parameters that the variant adds to the statement."""


@dataclass(frozen=True, slots=True)
class PreparedQuery(Generic[Row]):
    """A compiled statement and the values to execute it with, for `Database` or `Session`."""

    compiled: CompiledStatement
    parameters: Mapping[str, Any]
    make_row: Callable[[Any], Row]

    async def fetch(
        self, connection: "asyncpg.Connection[asyncpg.Record]", comment: str = ""
    ) -> list[Row]:
        """All rows; raises the driver's errors, see `errors.translate_errors`.

        `comment` is prepended to the SQL; if it changes, the statement cache has no effect.
        """
        records = await connection.fetch(comment + self.compiled.sql, *self.arguments)
        return self.compiled.rows(records, self.make_row)

    @property
    def arguments(self) -> list[Any]:
        """The values of `$1`, `$2`, … for the driver."""
        return self.compiled.arguments(self.parameters)


def bind(value: Value) -> ColumnElement[Value]:
    """Return an argument of a prepared query, typed as the bind parameter that replaces it.

    For SQLAlchemy functions and operators that require an expression.
    """
    return cast("ColumnElement[Value]", value)


def prepared(
    row_type: type[Fields],
) -> Callable[[Callable[P, Executable]], Callable[P, PreparedQuery[Fields]]]:
    """Turn a function that builds a statement into one that returns a `PreparedQuery`.

    Positional arguments are values: the statement is built with bind parameters in their place,
    typed by the annotations (`Annotated[int, BigInteger()]` chooses another type). None is NULL.
    Keyword-only arguments choose the variant: each combination is built and compiled once. Integers
    in the statement are inline literals, since PostgreSQL plans a statement for each execution if
    its LIMIT is a parameter.

    `row_type` is a `NamedTuple` with the names of the columns, in their order.
    """
    return _prepared_decorator(row_type, cast(Any, row_type)._make)


def prepared_outer(
    row_type: type[Fields],
) -> Callable[[Callable[P, Executable]], Callable[P, PreparedQuery[Fields | None]]]:
    """As `prepared`, for an outer join: a subject without items yields one row, None.

    If the subject does not exist, there is no row. The first column of an item must not be NULL.
    """
    make_row = cast(Any, row_type)._make
    return _prepared_decorator(
        row_type, lambda values: None if values[0] is None else make_row(values)
    )


def _prepared_decorator(
    row_type: type[Fields], make_row: Callable[[Any], Row]
) -> Callable[[Callable[P, Executable]], Callable[P, PreparedQuery[Row]]]:
    def decorate(build: Callable[P, Executable]) -> Callable[P, PreparedQuery[Row]]:
        binds = _bind_parameters(build)
        names = tuple(f"{_PREFIX}{name}" for name in binds)
        variants: dict[Hashable, CompiledStatement] = {}

        @wraps(build)
        def query(*args: P.args, **kwargs: P.kwargs) -> PreparedQuery[Row]:
            parameters = dict(zip(names, args, strict=True))
            key = _variant_key(kwargs, parameters)
            compiled = variants.get(key)
            if compiled is None:
                if len(variants) >= MAX_VARIANTS:
                    variants.clear()
                compiled = variants[key] = _compile_variant(build, binds, kwargs, row_type)
            return PreparedQuery(compiled, parameters, make_row)

        return query

    return decorate


def _variant_key(keywords: Mapping[str, Any], parameters: dict[str, Any]) -> Hashable:
    """The key of the variant; adds values of variant arguments to `parameters`."""
    key: list[Hashable] = []
    for name, value in keywords.items():
        if isinstance(value, VariantArgument):
            parameters |= value.parameters
            value = value.variant
        key += (name, value)
    return tuple(key)


def _compile_variant(
    build: Callable[..., Executable],
    binds: Mapping[str, BindParameter[Any]],
    choices: Mapping[str, Any],
    row_type: type[tuple[Any, ...]],
) -> CompiledStatement:
    variants = {
        name: value.variant if isinstance(value, VariantArgument) else value
        for name, value in choices.items()
    }
    compiled = compile_statement(_inline_integers(build(*binds.values(), **variants)))
    columns = tuple(column.key for column in cast(Selectable, compiled.statement).exported_columns)
    fields = cast(Any, row_type)._fields
    if columns != fields:
        raise TypeError(f"{build.__qualname__} selects {columns}, its row type has {fields}")
    return compiled


def _bind_parameters(build: Callable[..., Executable]) -> dict[str, BindParameter[Any]]:
    hints = get_type_hints(build, include_extras=True)
    return {
        name: bindparam(f"{_PREFIX}{name}", type_=sql_type(hints[name]))
        for name, parameter in signature(build).parameters.items()
        if parameter.kind is not Parameter.KEYWORD_ONLY
    }


def sql_type(hint: Any) -> TypeEngine[Any]:  # noqa: ANN401 - any annotation
    """The SQLAlchemy type of a Python annotation; raises `TypeError` if there is none."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        types = [argument for argument in arguments[1:] if isinstance(argument, TypeEngine)]
        return types[0] if types else sql_type(arguments[0])
    if origin in (Union, UnionType):
        (hint,) = (argument for argument in arguments if argument is not NoneType)
        return sql_type(hint)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return ARRAY(sql_type(arguments[0]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return String()
    if hint not in _TYPES:
        raise TypeError(f"{hint} has no SQLAlchemy type")
    return _TYPES[hint]


def _inline_integers(statement: Executable) -> Executable:
    def literal(element: object, **_: object) -> ColumnElement[int] | None:
        if isinstance(element, BindParameter) and type(element.value) is int:
            return literal_column(str(element.value), element.type)
        return None

    return cast(Executable, replacement_traverse(cast(ClauseElement, statement), {}, literal))

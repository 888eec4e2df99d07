"""Prepared queries: SQLAlchemy builds and compiles a statement once, asyncpg executes it.

SQLAlchemy's own way from a statement to rows costs more than to send the statement and to read
the rows (a context, a cursor and a greenlet for each execution). See docs/decisions/0024.
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
"""Of one query. Clients choose among them (the page's limit), never their number."""
_PREFIX = "p_"  # keeps the names of arguments apart from those of columns, which an INSERT binds
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


class Variant(ABC):
    """A keyword argument that is more than a choice: a page, which also brings values along."""

    @property
    @abstractmethod
    def shape(self) -> Hashable:
        """What the statement depends on; it is built with this in place of the argument."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """Values for the bind parameters that the shape puts into the statement."""


@dataclass(frozen=True, slots=True)
class PreparedQuery(Generic[Row]):
    """A compiled statement and the values to execute it with, for `Database` or `Session`."""

    compiled: CompiledStatement
    parameters: Mapping[str, Any]
    make: Callable[[Any], Row]
    """Makes a row of the values of a record."""

    async def fetch(
        self, connection: "asyncpg.Connection[asyncpg.Record]", comment: str = ""
    ) -> list[Row]:
        """All rows; raises the driver's errors, see `errors.translated`.

        `comment` is an SQL comment in front; one that changes defeats the statement cache.
        """
        records = await connection.fetch(comment + self.compiled.sql, *self.arguments)
        return self.compiled.rows(records, self.make)

    @property
    def arguments(self) -> list[Any]:
        """The values of `$1` and so on, as the driver takes them."""
        return self.compiled.arguments(self.parameters)


def bind(value: Value) -> ColumnElement[Value]:
    """An argument of a prepared query as what it is while the statement is built: a bind parameter.

    For where SQLAlchemy's types, or its operators, want an expression.
    """
    return cast("ColumnElement[Value]", value)


def prepared(
    row_type: type[Fields],
) -> Callable[[Callable[P, Executable]], Callable[P, PreparedQuery[Fields]]]:
    """Make a function that builds a statement into one that returns it with its values.

    Positional arguments are values: the statement is built with bind parameters in their places,
    typed by the annotations (`Annotated[int, BigInteger()]` names another type). None is NULL.
    Keyword-only arguments choose the variant: it is built and compiled once for each combination
    of them. Integers in the statement are written out, since PostgreSQL plans a statement for each
    execution when it does not know how many rows of it are wanted.

    `row_type` is a `NamedTuple` whose fields are the columns, in their order and by their names.
    """
    return _preparing(row_type, cast(Any, row_type)._make)


def prepared_outer(
    row_type: type[Fields],
) -> Callable[[Callable[P, Executable]], Callable[P, PreparedQuery[Fields | None]]]:
    """As `prepared`, for an outer join: None is the row of a subject that has nothing listed.

    No rows at all mean that there is no subject. The first column is never NULL otherwise.
    """
    make = cast(Any, row_type)._make
    return _preparing(row_type, lambda values: None if values[0] is None else make(values))


def _preparing(
    row_type: type[Fields], make: Callable[[Any], Row]
) -> Callable[[Callable[P, Executable]], Callable[P, PreparedQuery[Row]]]:
    def decorate(build: Callable[P, Executable]) -> Callable[P, PreparedQuery[Row]]:
        binds = _bind_parameters(build)
        names = tuple(f"{_PREFIX}{name}" for name in binds)
        variants: dict[Hashable, CompiledStatement] = {}

        @wraps(build)
        def query(*args: P.args, **kwargs: P.kwargs) -> PreparedQuery[Row]:
            parameters = dict(zip(names, args, strict=True))
            choice = _choice(kwargs, parameters)
            compiled = variants.get(choice)
            if compiled is None:
                if len(variants) >= MAX_VARIANTS:
                    variants.clear()
                compiled = variants[choice] = _built(build, binds, kwargs, row_type)
            return PreparedQuery(compiled, parameters, make)

        return query

    return decorate


def _choice(keywords: Mapping[str, Any], parameters: dict[str, Any]) -> Hashable:
    """The key of the variant; the values that come with it are added to the parameters."""
    choice: list[Hashable] = []
    for name, value in keywords.items():
        if isinstance(value, Variant):
            parameters |= value.parameters
            value = value.shape
        choice += (name, value)
    return tuple(choice)


def _built(
    build: Callable[..., Executable],
    binds: Mapping[str, BindParameter[Any]],
    choices: Mapping[str, Any],
    row_type: type[tuple[Any, ...]],
) -> CompiledStatement:
    shapes = {
        name: value.shape if isinstance(value, Variant) else value
        for name, value in choices.items()
    }
    compiled = compile_statement(_with_literal_integers(build(*binds.values(), **shapes)))
    columns = tuple(column.key for column in cast(Selectable, compiled.statement).exported_columns)
    fields = cast(Any, row_type)._fields
    if columns != fields:
        raise TypeError(f"{build.__qualname__} selects {columns}, its rows have {fields}")
    return compiled


def _bind_parameters(build: Callable[..., Executable]) -> dict[str, BindParameter[Any]]:
    """A bind parameter for each positional argument, of the annotated type."""
    hints = get_type_hints(build, include_extras=True)
    return {
        name: bindparam(f"{_PREFIX}{name}", type_=sql_type(hints[name]))
        for name, one in signature(build).parameters.items()
        if one.kind is not Parameter.KEYWORD_ONLY
    }


def sql_type(hint: Any) -> TypeEngine[Any]:  # noqa: ANN401 - whatever an annotation may be
    """The SQLAlchemy type of a Python annotation; raises `TypeError` for one that has none."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        named = [one for one in arguments[1:] if isinstance(one, TypeEngine)]
        return named[0] if named else sql_type(arguments[0])
    if origin in (Union, UnionType):
        (hint,) = (one for one in arguments if one is not NoneType)
        return sql_type(hint)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return ARRAY(sql_type(arguments[0]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return String()
    if hint not in _TYPES:
        raise TypeError(f"{hint} is no type of a bind parameter")
    return _TYPES[hint]


def _with_literal_integers(statement: Executable) -> Executable:
    def literal(element: object, **_: object) -> ColumnElement[int] | None:
        if isinstance(element, BindParameter) and type(element.value) is int:
            return literal_column(str(element.value), element.type)
        return None

    return cast(Executable, replacement_traverse(cast(ClauseElement, statement), {}, literal))

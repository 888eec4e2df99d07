"""Statements that are built once.

To build a large SELECT with SQLAlchemy, and to compile it, costs several times what it costs to
execute it: milliseconds for a feed. A statement that is there already has its native form at hand.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache, wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ClauseElement,
    ColumnElement,
    DateTime,
    Double,
    Executable,
    Integer,
    Numeric,
    String,
    Uuid,
    bindparam,
    literal_column,
)
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.types import NullType, TypeEngine

from wxc.core.native import with_native_form
from wxc.db.keyset import PageRequest

P = ParamSpec("P")
S = TypeVar("S", bound=Executable)


class Fixed(int):
    """A number that is part of a statement and not a parameter of it."""


_MOST_SHAPES = 512  # of one statement; a client can ask for every one there is


@dataclass(frozen=True, slots=True, eq=False)
class _Parameter:
    """An argument that the statement holds a parameter for; one for each type, told by identity."""

    type_: TypeEngine[Any]

    def named(self, name: str) -> BindParameter[Any]:
        return bindparam(name, type_=self.type_)


_PARAMETERS: Mapping[type, _Parameter] = {
    UUID: _Parameter(Uuid()),
    str: _Parameter(String()),
    int: _Parameter(Integer()),
    float: _Parameter(Double()),
    Decimal: _Parameter(Numeric()),
    datetime: _Parameter(DateTime(timezone=True)),
    list: _Parameter(NullType()),  # whoever uses it says of what, by `type_coerce`
}
_KINDS = tuple(_PARAMETERS)
_NO_PARAMETERS = (bool, Enum, Fixed)


def built_once(build: Callable[P, S]) -> Callable[P, tuple[S, dict[str, Any]]]:
    """What `build` returns, built once for each shape of its arguments, and the values to execute
    it with: `await reader.execute(*statement(me_id, page))`.

    Inside of `build` ids, texts, numbers, times and lists are parameters of the statement: all
    that can be done with them is SQL. Everything else, None, truth values, enumerations and what
    is `Fixed` among it, is part of the shape; of a page it is whether it is the first, how it is
    read, and its length if that is a usual one.

    Whole numbers that are no parameters are written out: PostgreSQL plans a statement anew each
    time when it does not know how much of it is wanted, which takes as long as to execute it.
    """
    names = tuple(signature(build).parameters)
    make: Callable[..., S] = build

    @lru_cache(_MOST_SHAPES)
    def built(*shape: Hashable) -> S:
        arguments = {
            name: one.named(name) if isinstance(one, _Parameter) else one
            for name, one in zip(names, shape, strict=True)
        }
        return with_native_form(_written_out(make(**arguments)))

    @wraps(build)
    def statement(*args: P.args, **kwargs: P.kwargs) -> tuple[S, dict[str, Any]]:
        given = dict(zip(names, args, strict=False)) | kwargs
        parameters: dict[str, Any] = {}
        shape = [_shape(name, given[name], parameters) for name in names]
        return built(*shape), parameters

    return statement


def _shape(name: str, value: Any, parameters: dict[str, Any]) -> Hashable:  # noqa: ANN401
    """What of the value the statement depends on; the rest of it becomes a parameter."""
    if isinstance(value, PageRequest):
        parameters |= value.parameters
        return value.shape
    parameter = _PARAMETERS.get(type(value))
    # Also what is of such a kind, as the driver's UUIDs are. But a bool is an int, and an
    # enumeration may be a str.
    if parameter is None and isinstance(value, _KINDS) and not isinstance(value, _NO_PARAMETERS):
        parameter = next(one for kind, one in _PARAMETERS.items() if isinstance(value, kind))
    if parameter is None:
        shape: Hashable = value
        return shape
    parameters[name] = value
    return parameter


def _written_out(statement: S) -> S:
    def literal(element: Any, **_: object) -> ColumnElement[int] | None:  # noqa: ANN401
        if isinstance(element, BindParameter) and type(element.value) in (int, Fixed):
            return literal_column(str(element.value), element.type)
        return None

    return cast(S, replacement_traverse(cast(ClauseElement, statement), {}, literal))

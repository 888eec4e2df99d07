"""Flattens a dependency tree into a list of calls; see docs/decisions/0024.

This uses FastAPI's internal parameter functions, so pyproject.toml bounds its version.
"""

from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.types import Scope

Arguments = dict[str, Any]


class ParameterError(Exception):
    """A parameter is missing or invalid; FastAPI's handler reports all of them."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with a single value."""

    name: str
    """The name of the function's argument."""
    alias: str
    """The name of the parameter in the request."""
    header: bytes
    """The alias in lower case, as the scope spells header names."""
    validate: Callable[[Any], tuple[Any, Sequence[Any]]]
    is_required: bool
    default: object

    def value(self, text: str | None) -> object:
        """The validated value; raises `ParameterError`."""
        if text is None:
            if self.is_required:
                raise ParameterError
            return self.default
        value, errors = self.validate(text)
        if errors:
            raise ParameterError
        return value


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a dependency or of the endpoint."""

    call: Callable[..., Awaitable[Any]]
    context: Callable[..., AbstractAsyncContextManager[Any]] | None
    """`call` as a context manager if it yields; exited before the response is sent."""
    request_name: str | None
    results: tuple[tuple[str, int], ...]
    """Arguments that earlier steps return: the name, and the index of the step."""
    path: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    headers: tuple[Parameter, ...]
    constant: Arguments | None
    """The arguments if no query parameter is sent; None if path or headers are needed too."""

    def parameters(self, scope: Scope, query: QueryParams | None) -> Arguments:
        """The arguments that the step takes from a request; raises `ParameterError`."""
        if self.constant is not None and (query is None or not self.query):
            return self.constant
        values: Arguments = {}
        for parameter in self.path:
            text = scope["path_params"].get(parameter.alias)
            values[parameter.name] = parameter.value(text)
        for parameter in self.query:
            text = None if query is None else query.get(parameter.alias)
            values[parameter.name] = parameter.value(text)
        for parameter in self.headers:
            values[parameter.name] = parameter.value(_header(scope, parameter.header))
        return values


def _header(scope: Scope, header: bytes) -> str | None:
    """The first header of that name; building `Headers` costs more than this search."""
    for name, value in scope["headers"]:
        if name == header:
            return str(value, "latin-1")
    return None


def steps_of(dependant: Dependant) -> tuple[Step, ...]:
    """The steps of an endpoint in FastAPI's order; empty if it needs more than they support."""
    dependants = list(_post_order(dependant))
    dependencies = dependants[:-1]
    is_supported = all(_is_supported(each) for each in dependants)
    is_supported &= all(each.scope == _supported_scope(each.call) for each in dependencies)
    # FastAPI calls an endpoint twice that is also a dependency.
    if not is_supported or any(each.call is dependant.call for each in dependencies):
        return ()
    first_by_call = {each.call: each for each in reversed(dependants)}
    indexes = {call: index for index, call in enumerate(calls_of(dependant))}
    return tuple(_step(first_by_call[call], indexes) for call in indexes)


def calls_of(dependant: Dependant) -> list[Any]:
    """The functions that FastAPI calls, in its order, each once."""
    return list(dict.fromkeys(each.call for each in _post_order(dependant)))


def _post_order(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield from _post_order(inner)
    yield dependant


def _step(dependant: Dependant, indexes: Mapping[Any, int]) -> Step:
    results = [(inner.name, indexes[inner.call]) for inner in dependant.dependencies]
    path, query, headers = (
        tuple(parameter_of(field) for field in fields)
        for fields in (dependant.path_params, dependant.query_params, dependant.header_params)
    )
    is_constant = not path and not headers and not any(parameter.is_required for parameter in query)
    call: Any = dependant.call
    return Step(
        call,
        asynccontextmanager(call) if isasyncgenfunction(call) else None,
        dependant.request_param_name,
        tuple((name, index) for name, index in results if name is not None),
        path,
        query,
        headers,
        {parameter.name: parameter.default for parameter in query} if is_constant else None,
    )


def parameter_of(field: Any) -> Parameter:  # noqa: ANN401 - FastAPI's private `ModelField`
    alias = field.validation_alias or field.alias
    is_required = field.field_info.is_required()
    default = None if is_required else field.default
    header = alias.lower().encode("latin-1")
    return Parameter(field.name, alias, header, field.validate, is_required, default)


def _is_supported(dependant: Dependant) -> bool:
    """Whether it needs only parameters, the request and other dependencies."""
    call = dependant.call
    # FastAPI unwraps decorated functions and may run them differently.
    is_call = iscoroutinefunction(call) or isasyncgenfunction(call)
    if not is_call or hasattr(call, "__wrapped__") or not dependant.use_cache:
        return False
    unsupported = (
        dependant.body_params,
        dependant.cookie_params,
        dependant.websocket_param_name,
        dependant.http_connection_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.own_oauth_scopes,
        dependant.concurrency,
    )
    fields = [*dependant.path_params, *dependant.query_params, *dependant.header_params]
    return not any(unsupported) and all(_is_single_valued(field) for field in fields)


def _supported_scope(call: object) -> str | None:
    """The only scope a dependency may have: FastAPI caches results by call and scope.

    By default a `yield` dependency ends after the response, which steps do not support.
    """
    return "function" if isasyncgenfunction(call) else None


def _is_single_valued(field: Any) -> bool:  # noqa: ANN401 - FastAPI's private `ModelField`
    """Whether the parameter has one name, one value and an immutable default."""
    info = field.field_info
    has_one_name = isinstance(info.validation_alias, str | None) and not field.config
    has_simple_default = info.is_required() or (
        info.default_factory is None
        and not info.validate_default
        and isinstance(info.default, Hashable)
    )
    return has_one_name and has_simple_default and _is_scalar(info.annotation)


def _is_scalar(annotation: object) -> bool:
    """Whether FastAPI validates one string, rather than a list or a model."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return all(_is_scalar(argument) for argument in inner)
    if origin is Annotated:
        return _is_scalar(inner[0])
    if not isinstance(annotation, type):
        return origin is Literal
    return issubclass(annotation, str) or not issubclass(annotation, Collection | BaseModel)

"""Routes that resolve their dependency tree once; see docs/decisions/0024.

For each request FastAPI walks through the dependencies of the route, inspects parameter types and
builds cache keys, always with the same result. `CompiledRoute` computes it once, when the route is
created: the functions, the order of their calls, and their arguments.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import ResponseValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import Receive, Scope, Send

from wxc.http.answers import json_bytes
from wxc.http.steps import (
    Arguments,
    Parameter,
    ParameterError,
    Step,
    calls_of,
    parameter_of,
    steps_of,
)


class CompiledRoute(APIRoute):
    """Responds as FastAPI would, without resolving the dependencies for each request.

    `RouteTable` calls `serve`. FastAPI's own handler serves routes with a body, a stream, threads
    or a dependency that ends after the response, and requests with invalid parameters. No
    dependency has been called by then.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(*args, **options)
        self.steps = _steps_of(self)
        """The calls for each request, the endpoint last; empty if FastAPI serves the route."""
        self._has_contexts = any(step.context for step in self.steps)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Serve a request that matches; False, and nothing is done, if FastAPI has to serve it."""
        request = Request(scope, receive, send)
        arguments = self._arguments(request)
        if arguments is None:
            return False
        response = await self._respond(request, arguments)
        await response(scope, receive, send)
        return True

    @cached_property
    def query_parameters(self) -> Mapping[str, Parameter]:
        """The query parameters that the route and its dependencies declare, by name."""
        fields = get_flat_params(self.dependant)
        found = (parameter_of(field) for field in fields if isinstance(field.field_info, Query))
        return {parameter.alias: parameter for parameter in found}

    def _arguments(self, request: Request) -> list[Arguments] | None:
        """The request's parameters for each step; None if FastAPI should handle the request."""
        scope = request.scope
        query = request.query_params if scope["query_string"] else None
        try:
            return [step.parameters(scope, query) for step in self.steps]
        except ParameterError:
            return None

    async def _respond(self, request: Request, arguments: list[Arguments]) -> Response:
        """Call the steps and close `yield` dependencies before the response is sent."""
        if not self._has_contexts:
            return self._response(await self._call(request, arguments))
        async with AsyncExitStack() as exits:
            return self._response(await self._call(request, arguments, exits))
        raise RuntimeError("a dependency has suppressed the error of its endpoint")

    async def _call(
        self, request: Request, arguments: list[Arguments], exits: AsyncExitStack | None = None
    ) -> object:
        """The result of the last step, which is the endpoint."""
        results: list[Any] = []
        for step, parameters in zip(self.steps, arguments, strict=True):
            keywords = parameters.copy()
            for name, index in step.results:
                keywords[name] = results[index]
            if step.request_name is not None:
                keywords[step.request_name] = request
            if step.context is None or exits is None:
                results.append(await step.call(**keywords))
            else:
                results.append(await exits.enter_async_context(step.context(**keywords)))
        return results[-1]

    def _response(self, content: object) -> Response:
        """The only place where the response of a compiled route is built."""
        if isinstance(content, Response):
            return content
        # A typed dictionary contains JSON values, and the type checker has verified its fields.
        body = json_bytes(content) if isinstance(content, dict) else self._serialise(content)
        return Response(body, self.status_code or 200, media_type="application/json")

    def _serialise(self, content: object) -> bytes:
        field = self.response_field
        assert field is not None  # noqa: S101 - otherwise the route is not compiled
        value, errors = field.validate(content, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors=errors, body=content)
        return field.serialize_json(value)


def verify_compiled_routes(app: FastAPI) -> None:
    """Raise `TypeError` if FastAPI would call anything for a route that its steps omit.

    A route does not see the dependencies given to `include_router` or `FastAPI`: an authentication
    check there would be skipped.
    """
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, CompiledRoute) or not route.steps:
            continue
        is_same = [step.call for step in route.steps] == calls_of(context.dependant)
        if not is_same or context.path != route.path or not _has_plain_response(context):
            raise TypeError(f"{route.path}: prefix and dependencies belong to the router itself")


def _steps_of(route: APIRoute) -> tuple[Step, ...]:
    is_unsupported = route.body_field or route.is_sse_stream or route.is_json_stream
    if is_unsupported or route.response_field is None or not _has_plain_response(route):
        return ()
    return steps_of(route.dependant)


def _has_plain_response(route: Any) -> bool:  # noqa: ANN401 - a route or its private context
    """Whether the response is the whole model as JSON."""
    options = (
        route.response_model_include,
        route.response_model_exclude,
        route.response_model_exclude_unset,
        route.response_model_exclude_defaults,
        route.response_model_exclude_none,
        not route.response_model_by_alias,
    )
    return isinstance(route.response_class, DefaultPlaceholder) and not any(options)

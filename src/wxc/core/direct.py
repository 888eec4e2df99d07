"""A shorter way through FastAPI for the routes that are asked most; see docs/decisions/0027.

For each request FastAPI tries the routes one after the other, walks through the tree of
dependencies and opens five exit stacks. What comes of that is the same every time, so that it is
worked out here once: which dependencies are called in which order, and what each of them is given.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi._compat import is_scalar_field
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant, request_params_to_args
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from wxc.core.errors import Refusal
from wxc.http.answers import written

_JSON = "application/json"
_NO_QUERY = QueryParams()
Arguments = dict[str, Any]
Parameters = list[Arguments | None]


class DirectRoutes:
    """Answers some routes before FastAPI tries any, and as FastAPI would: an ASGI middleware.

    What is not plain goes the ordinary way, and nothing has happened by then: parameters that are
    refused, and what an application overrides.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Iterable[APIRoute],
        first: Callable[..., Any],
        refuse: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        """`first` is the dependency before those of every route, `refuse` answers refusals.

        Raises `TypeError` for a route that needs what is not done here: a body, threads, streams,
        dependencies that yield, a session among them.
        """
        self.app = app
        self._refuse = refuse
        self._plans: dict[tuple[str, int, str], list[_Plan]] = {}
        for route in routes:
            plan = _Plan(route, get_dependant(path=route.path, call=first))
            for method in route.methods or ():
                self._plans.setdefault((method, *_outline(route.path)), []).append(plan)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer, or let FastAPI answer."""
        found = self.find(scope)
        if found is None:
            return self.app(scope, receive, send)
        return self._answer(*found, Request(scope, receive, send), send)

    async def _answer(
        self, plan: "_Plan", parameters: Parameters, request: Request, send: Send
    ) -> None:
        try:
            response = await plan.answer(request, parameters)
        except Refusal as refusal:
            response = await self._refuse(request, refusal)
        await response(request.scope, request.receive, send)

    def find(self, scope: Scope) -> "tuple[_Plan, Parameters] | None":
        """The plan for a request with parameters that it takes, which the scope is told of."""
        if scope["type"] != "http" or scope.get("root_path"):
            return None
        path = scope["path"]
        for plan in self._plans.get((scope["method"], *_outline(path)), ()):
            parameters = plan.read(scope, path)
            if parameters is not None:
                return None if scope["app"].dependency_overrides else (plan, parameters)
        return None


def _outline(path: str) -> tuple[int, str]:
    """What is compared before a pattern is: the number of segments, and the first of them."""
    return path.count("/"), path[1:].partition("/")[0]


@dataclass(frozen=True, slots=True)
class _Step:
    """A call whose result later ones may be given, by its place among the steps."""

    call: Callable[..., Awaitable[Any]]
    request_name: str | None
    results: tuple[tuple[str, int], ...]
    has_parameters: bool
    defaults: Arguments | None
    """What it takes of a request without a query, where that is all it looks at."""


class _Plan:
    """What one route does for each request."""

    def __init__(self, route: APIRoute, first: Dependant) -> None:
        if route.body_field or route.response_field is None or route.is_sse_stream:
            raise TypeError(f"{route.path} needs more than is done directly")
        self._route = route
        self._field = route.response_field
        self._steps: list[_Step] = []
        self._sources: list[Dependant] = []
        known: dict[Any, int] = {}
        for dependant in (first, route.dependant):
            self._add(dependant, known)

    def _add(self, dependant: Dependant, known: dict[Any, int]) -> int:
        """The place of the step, added after those that it needs, in FastAPI's order."""
        call: Any = dependant.call
        if call in known:
            return known[call]
        results = [(one.name, self._add(one, known)) for one in dependant.dependencies]
        if not _is_plain(dependant) or not iscoroutinefunction(call):
            raise TypeError(f"{call} needs more than is done directly")
        fields = (dependant.path_params, dependant.query_params, dependant.header_params)
        self._steps.append(
            _Step(
                call,
                dependant.request_param_name,
                tuple((name, at) for name, at in results if name is not None),
                any(fields),
                _defaults(dependant),
            )
        )
        self._sources.append(dependant)
        known[call] = len(self._steps) - 1
        return known[call]

    def read(self, scope: Scope, path: str) -> Parameters | None:
        """What each step takes; None when the path or a parameter is not as the route wants."""
        found = self._route.path_regex.match(path)
        if found is None:
            return None
        strings = found.groupdict()
        parameters = list(self._parameters(scope, strings))
        if len(parameters) < len(self._steps):
            return None
        scope["route"] = self._route
        scope["endpoint"] = self._route.endpoint
        scope["path_params"] = strings
        return parameters

    def _parameters(self, scope: Scope, strings: dict[str, str]) -> Iterator[Arguments | None]:
        """For each step what it takes of the request; ends early where that is refused."""
        query = QueryParams(scope["query_string"]) if scope["query_string"] else _NO_QUERY
        for step, source in zip(self._steps, self._sources, strict=True):
            if not step.has_parameters:
                yield None
            elif not query and step.defaults is not None:
                yield step.defaults
            else:
                arguments = _read(source, strings, query, Headers(scope=scope))
                if arguments is None:
                    return
                yield arguments

    async def answer(self, request: Request, parameters: Parameters) -> Response:
        """Do the steps; the last of them is the route's own function."""
        done: list[Any] = []
        for step, own in zip(self._steps, parameters, strict=True):
            arguments = {name: done[at] for name, at in step.results}
            if own is not None:
                arguments |= own
            if step.request_name is not None:
                arguments[step.request_name] = request
            done.append(await step.call(**arguments))
        return self._response(done[-1])

    def _response(self, content: object) -> Response:
        if isinstance(content, Response):
            return content
        body = written(content) if isinstance(content, dict) else self._serialised(content)
        return Response(body, self._route.status_code or 200, media_type=_JSON)

    def _serialised(self, content: object) -> bytes:
        value, errors = self._field.validate(content, {}, loc=("response",))
        if errors:
            raise TypeError(f"{self._route.path} has answered with what it does not declare")
        return self._field.serialize_json(value)


def _read(
    dependant: Dependant, strings: dict[str, str], query: QueryParams, headers: Mapping[str, str]
) -> Arguments | None:
    """The dependant's own parameters; None where one is refused."""
    arguments: Arguments = {}
    for fields, given in ((dependant.path_params, strings), (dependant.query_params, query)):
        for one in fields:
            name = one.field_info.alias or one.name
            if name in given:
                value, errors = one.validate(given[name], {}, loc=())
                if errors:
                    return None
                arguments[one.name] = value
            elif one.field_info.is_required():
                return None
            else:
                arguments[one.name] = one.default
    if dependant.header_params:
        values, errors = request_params_to_args(dependant.header_params, headers)
        if errors:
            return None
        arguments |= values
    return arguments


def _defaults(dependant: Dependant) -> Arguments | None:
    if dependant.path_params or dependant.header_params:
        return None
    return _read(dependant, {}, QueryParams(), {})


def _is_plain(dependant: Dependant) -> bool:
    """Whether nothing is wanted but parameters, the request and other dependencies.

    Of each parameter there is one value, and the defaults are such that nobody can change them.
    """
    query = dependant.query_params
    is_simple = all(is_scalar_field(one) and isinstance(one.default, Hashable) for one in query)
    wants_more = any(
        (
            dependant.body_params,
            dependant.cookie_params,
            dependant.response_param_name,
            dependant.background_tasks_param_name,
            dependant.security_scopes_param_name,
            dependant.http_connection_param_name,
            dependant.concurrency,
        )
    )
    return dependant.use_cache and is_simple and not wants_more

import re
from collections import defaultdict
from collections.abc import Awaitable, Iterable
from typing import NamedTuple

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from wxc.http.compiled_route import CompiledRoute


class _MethodRoutes(NamedTuple):
    routes: list[CompiledRoute]
    pattern: re.Pattern[str]
    """One group for each route: the number of the matching group, from 1, finds the route."""


class RouteTable:
    """The innermost middleware: serves compiled routes, found by one regular expression per method.

    FastAPI tries router after router and the routes of the matching one twice, inside an exit stack
    and three exception handlers: 10 to 65 µs for each request. It receives every request without a
    match here, and those that its own handler has to serve. No two routes match the same request,
    so their order does not matter.
    """

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute]) -> None:
        self.app = app
        compiled = [route for route in routes if isinstance(route, CompiledRoute) and route.steps]
        by_method: defaultdict[str, list[CompiledRoute]] = defaultdict(list)
        for route in compiled:
            for method in route.methods or ():
                by_method[method].append(route)
        self._methods = {
            method: _MethodRoutes(found, _pattern_of(found)) for method, found in by_method.items()
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        route = self.find(scope)
        if route is None:
            return self.app(scope, receive, send)
        return self._serve(route, scope, receive, send)

    def find(self, scope: Scope) -> CompiledRoute | None:
        """The compiled route of a request, unless FastAPI has to serve it."""
        # FastAPI handles dependency overrides.
        if scope["type"] != "http" or scope.get("root_path") or scope["app"].dependency_overrides:
            return None
        entry = self._methods.get(scope["method"])
        found = entry.pattern.match(scope["path"]) if entry else None
        if entry is None or found is None or found.lastindex is None:
            return None
        return entry.routes[found.lastindex - 1]

    async def _serve(
        self, route: CompiledRoute, scope: Scope, receive: Receive, send: Send
    ) -> None:
        scope.update(route.matches(scope)[1])
        if not await route.serve(scope, receive, send):
            await self.app(scope, receive, send)


def _pattern_of(routes: Iterable[CompiledRoute]) -> re.Pattern[str]:
    paths = (re.sub(r"\(\?P<\w+>", "(?:", route.path_regex.pattern) for route in routes)
    return re.compile("|".join(f"({path})" for path in paths))

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from wxc.http.compiled_route import CompiledRoute


class _MethodRoutes(NamedTuple):
    routes: list[CompiledRoute]
    pattern: re.Pattern[str]
    """One group for each route: the number of the matching group, from 1, finds the route."""


class RouteTable(BaseRoute):
    """All compiled routes of an application, matched by one regular expression for each method.

    FastAPI tries router after router, and the routes of the matching one twice: 5 to 60 µs for each
    request. A request without a match here goes on to FastAPI's routers, which also respond with
    404 and 405. No two routes match the same request, so their order does not matter.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        by_method: defaultdict[str, list[CompiledRoute]] = defaultdict(list)
        for route in [route for route in routes if isinstance(route, CompiledRoute)]:
            for method in route.methods or ():
                by_method[method].append(route)
        self._methods = {
            method: _MethodRoutes(found, _pattern_of(found)) for method, found in by_method.items()
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # FastAPI's own routers handle dependency overrides.
        if scope["type"] != "http" or scope.get("root_path") or scope["app"].dependency_overrides:
            return Match.NONE, {}
        entry = self._methods.get(scope["method"])
        found = entry.pattern.match(scope["path"]) if entry else None
        if entry is None or found is None or found.lastindex is None:
            return Match.NONE, {}
        return entry.routes[found.lastindex - 1].matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the route that `matches` has put into the scope."""
        route: Any = scope["route"]
        await route.handle(scope, receive, send)


def _pattern_of(routes: Iterable[CompiledRoute]) -> re.Pattern[str]:
    paths = (re.sub(r"\(\?P<\w+>", "(?:", route.path_regex.pattern) for route in routes)
    return re.compile("|".join(f"({path})" for path in paths))

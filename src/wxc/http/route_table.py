"""Finds the route of a request in one step."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from wxc.http.compiled_route import CompiledRoute


@dataclass(slots=True)
class _Method:
    """The routes of an HTTP method and the pattern that any of their paths matches."""

    routes: list[CompiledRoute] = field(default_factory=list)
    pattern: re.Pattern[str] = re.compile("")

    def compile(self) -> None:
        """One group for each route, so that the group that matched is the route's number."""
        paths = [re.sub(r"\(\?P<\w+>", "(?:", one.path_regex.pattern) for one in self.routes]
        self.pattern = re.compile("|".join(f"({path})" for path in paths))


class RouteTable(BaseRoute):
    """All compiled routes of an application, matched by one regular expression for each method.

    FastAPI tries the routers one after another and the routes of the chosen one twice: 5 to 60 µs
    of a request. What matches nothing here goes on to FastAPI's routers, which also answer 404 and
    405. No two routes match the same request, so the order changes no answer.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._methods: dict[str, _Method] = {}
        for route in routes:
            if isinstance(route, CompiledRoute):
                for method in route.methods or ():
                    self._methods.setdefault(method, _Method()).routes.append(route)
        for entry in self._methods.values():
            entry.compile()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's interface of a route."""
        # FastAPI's own routers know what the application overrides.
        if scope["type"] != "http" or scope.get("root_path") or scope["app"].dependency_overrides:
            return Match.NONE, {}
        entry = self._methods.get(scope["method"])
        found = entry.pattern.match(scope["path"]) if entry else None
        if entry is None or found is None or found.lastindex is None:
            return Match.NONE, {}
        return entry.routes[found.lastindex - 1].matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette's interface of a route; `matches` has put the route into the scope."""
        route: Any = scope["route"]
        await route.handle(scope, receive, send)

"""No two routes match the same request, and the route table finds each of them."""

import re
from itertools import combinations, zip_longest
from types import SimpleNamespace

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import Receive, Scope, Send

from wxc.app import ROUTERS, create_app
from wxc.core.config import Config
from wxc.http.compiled_route import CompiledRoute
from wxc.http.openapi import operation_id
from wxc.http.route_table import RouteTable
from wxc.http.routers import make_router

ROUTES = [one for router in ROUTERS for one in router.routes if isinstance(one, APIRoute)]


def _overlap(one: str, other: str) -> bool:
    """Whether some path matches both templates, whose parameters are whole segments."""
    pairs = zip_longest(one.split("/"), other.split("/"))
    return all(None not in pair and (pair[0] == pair[1] or "{" in "".join(pair)) for pair in pairs)


def _scope(path: str, *, method: str = "GET") -> Scope:
    app = SimpleNamespace(dependency_overrides={})
    return {"type": "http", "method": method, "path": path, "headers": [], "app": app}


def test_no_request_matches_two_routes() -> None:
    assert _overlap("/a/{b}", "/a/c")
    assert not _overlap("/a/{b}", "/a/{b}/c")
    for one, other in combinations(ROUTES, 2):
        shares_method = (one.methods or set()) & (other.methods or set())
        assert not shares_method or not _overlap(one.path, other.path), (
            f"{operation_id(one)} and {operation_id(other)}"
        )


def test_path_parameters_are_whole_segments() -> None:
    for route in ROUTES:
        for segment in route.path.split("/"):
            assert "{" not in segment or (segment[0], segment[-1]) == ("{", "}"), route.path
            assert ":" not in segment, route.path


def _path_of(route: APIRoute) -> str:
    return re.sub(r"{\w+}", "7", route.path)


async def _endpoint(item: str = "") -> str:
    return item


def _table() -> RouteTable:
    router = make_router("a")
    router.get("/a")(_endpoint)
    router.post("/a")(_endpoint)
    router.get("/a/{item}/b")(_endpoint)
    return RouteTable(_application, routes=router.routes)


async def _application(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotImplementedError


def test_route_table_finds_exactly_the_compiled_routes() -> None:
    table = RouteTable(_application, routes=ROUTES)
    for route in ROUTES:
        for method in route.methods or ():
            found = table.find(_scope(_path_of(route), method=method))

            assert isinstance(route, CompiledRoute)
            assert found is (route if route.steps else None)


@pytest.mark.parametrize("path", ["/", "/b", "/a/", "/a/1", "/a/1/b/", "/a/1/2/b", "/aa", "/A"])
def test_route_table_matches_no_other_paths(path: str) -> None:
    assert _table().find(_scope("/a"))
    assert _table().find(_scope(path)) is None


@pytest.mark.parametrize(
    "different",
    [
        {"method": "DELETE"},
        {"type": "websocket"},
        {"root_path": "/mounted"},
        {"app": SimpleNamespace(dependency_overrides={_endpoint: _endpoint})},
    ],
    ids=lambda one: next(iter(one)),
)
def test_route_table_does_not_match_other_methods_mounts_websockets_and_overrides(
    different: Scope,
) -> None:
    assert _table().find({**_scope("/a"), **different}) is None


def test_route_table_is_the_innermost_middleware_unless_tracing_is_on(config: Config) -> None:
    untraced = create_app(config).user_middleware
    traced = create_app(config.model_copy(update={"tracing": True})).user_middleware

    assert str(untraced[-1].cls) == str(RouteTable)
    assert str(RouteTable) not in [str(middleware.cls) for middleware in traced]


def test_every_router_is_included_once(config: Config) -> None:
    included = [
        context.original_route
        for context in iter_route_contexts(create_app(config).routes)
        if isinstance(context.original_route, APIRoute)
    ]

    assert sorted(map(operation_id, included)) == sorted(map(operation_id, ROUTES))

"""Routers: no two routes answer the same request, and none is tried in vain."""

from itertools import combinations, zip_longest

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Match
from starlette.types import Scope

from wxc.app import ROUTERS, create_app
from wxc.core.config import Config
from wxc.core.openapi import operation_id
from wxc.http.routers import make_router

ROUTES = [one for router in ROUTERS for one in router.routes if isinstance(one, APIRoute)]


def _overlap(one: str, other: str) -> bool:
    """Whether some path matches both templates, whose parameters are whole segments."""
    pairs = zip_longest(one.split("/"), other.split("/"))
    return all(None not in pair and (pair[0] == pair[1] or "{" in "".join(pair)) for pair in pairs)


def _scope(path: str, root_path: str = "") -> Scope:
    return {"type": "http", "method": "GET", "path": path, "root_path": root_path, "headers": []}


def test_no_method_and_path_match_two_routes_so_that_their_order_changes_no_answer() -> None:
    assert _overlap("/a/{b}", "/a/c")
    assert not _overlap("/a/{b}", "/a/{b}/c")
    for one, other in combinations(ROUTES, 2):
        shares_method = (one.methods or set()) & (other.methods or set())
        assert not shares_method or not _overlap(one.path, other.path), (
            f"{operation_id(one)} and {operation_id(other)}"
        )


def test_parameters_are_whole_segments() -> None:
    for route in ROUTES:
        for segment in route.path.split("/"):
            assert "{" not in segment or (segment[0], segment[-1]) == ("{", "}"), route.path
            assert ":" not in segment, route.path


@pytest.mark.parametrize("root_path", ["", "/mounted"])
def test_a_router_matches_the_paths_of_its_routes_and_no_others(root_path: str) -> None:
    app = FastAPI(openapi_url=None)
    router = make_router("a")

    async def answer(item: str = "") -> str:
        return item

    router.get("/a")(answer)
    router.get("/a/{item}/b")(answer)
    app.include_router(router)
    included = app.routes[-1]

    for path in ("/a", "/a/1/b"):
        assert included.matches(_scope(root_path + path, root_path))[0] is Match.FULL
    for path in ("/", "/b", "/a/", "/a/1", "/a/1/b/", "/a/1/2/b", "/aa"):
        assert included.matches(_scope(root_path + path, root_path))[0] is Match.NONE


def test_a_router_in_a_router_is_refused() -> None:
    outer, inner = make_router("a"), make_router("b")
    outer.include_router(inner)
    app = FastAPI()
    app.include_router(outer)

    with pytest.raises(TypeError, match="no other router"):
        app.routes[-1].matches(_scope("/a"))


def test_every_router_is_included_once_and_the_busiest_first(config: Config) -> None:
    included = [
        context.original_route
        for context in iter_route_contexts(create_app(config).routes)
        if isinstance(context.original_route, APIRoute)
    ]

    assert [operation_id(one) for one in included[:1]] == ["feed_read_feed"]
    assert sorted(map(operation_id, included)) == sorted(map(operation_id, ROUTES))

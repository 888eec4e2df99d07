"""Compiled routes call every dependency, in FastAPI's order."""

from collections.abc import AsyncIterator
from itertools import chain
from typing import Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Request,
    Response,
)
from tests.support.browser import Browser

from wxc.app import create_app
from wxc.core.config import Config
from wxc.http.compiled_route import CompiledRoute, verify_compiled_routes
from wxc.http.middleware.error_handler import ErrorHandler
from wxc.http.route_table import RouteTable
from wxc.http.routers import make_router


def _use_fastapi(_route: CompiledRoute, _request: Request) -> None:
    """Replaces `CompiledRoute._arguments`: FastAPI handles every request."""


async def _anything() -> str:
    return ""


async def _refusing() -> None:
    raise RuntimeError("the dependency is called")


@pytest.mark.parametrize("compiled", [True, False])
async def test_every_dependency_is_called_once_in_fastapis_order(
    monkeypatch: pytest.MonkeyPatch, *, compiled: bool
) -> None:
    called: list[str] = []

    async def shared(request: Request) -> str:
        called.append("shared")
        return request.method

    async def left(method: Annotated[str, Depends(shared)], limit: int = 5) -> int:
        called.append("left")
        return limit

    async def right(
        method: Annotated[str, Depends(shared)], x_name: Annotated[str, Header()]
    ) -> str:
        called.append("right")
        return method + x_name

    async def of_router() -> None:
        called.append("router")

    async def opened(limit: Annotated[int, Depends(left)]) -> AsyncIterator[int]:
        called.append("opened")
        yield limit
        called.append("closed")

    async def endpoint(
        item: int,
        one: Annotated[int, Depends(opened, scope="function")],
        two: Annotated[str, Depends(right)],
    ) -> list[Any]:
        called.append("endpoint")
        return [item, one, two]

    router = make_router("a")
    router.dependencies.append(Depends(of_router))
    router.get("/a/{item}")(endpoint)
    app = _application(router)
    if not compiled:
        monkeypatch.setattr(CompiledRoute, "_arguments", _use_fastapi)

    async with Browser(app) as browser:
        answer = await browser.get("/a/7?limit=3", headers={"X-Name": "!"})

    assert answer.json() == [7, 3, "GET!"]
    assert called == ["router", "shared", "left", "opened", "right", "endpoint", "closed"]


@pytest.mark.parametrize("compiled", [True, False])
async def test_yield_dependency_sees_the_refusal_and_can_fail_the_request(
    monkeypatch: pytest.MonkeyPatch, *, compiled: bool
) -> None:
    seen: list[str] = []

    async def opened(item: int) -> AsyncIterator[int]:
        try:
            yield item
        except HTTPException as error:
            seen.append(f"refused {error.status_code}")
            raise
        raise HTTPException(503)  # like a COMMIT that fails

    async def endpoint(item: Annotated[int, Depends(opened, scope="function")]) -> int:
        if item == 1:
            raise HTTPException(409)
        return item

    router = make_router("a")
    router.get("/a/{item}")(endpoint)
    app = _application(router)
    if not compiled:
        monkeypatch.setattr(CompiledRoute, "_arguments", _use_fastapi)

    async with Browser(app) as browser:
        statuses = [(await browser.get(f"/a/{item}")).status_code for item in (1, 2)]

    assert statuses == [409, 503]
    assert seen == ["refused 409"]


async def _problem_of_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return Response(status_code=error.status_code)


def _application(*routers: Any, **options: Any) -> FastAPI:
    app = FastAPI(**options)
    for router in routers:
        app.include_router(router)
    routes = chain.from_iterable(router.routes for router in routers)
    app.add_middleware(RouteTable, routes=routes)
    app.add_middleware(ErrorHandler, respond=_problem_of_exception)
    verify_compiled_routes(app)
    return app


@pytest.mark.parametrize(
    "options",
    [{"dependencies": [Depends(_refusing)]}, {"prefix": "/b"}],
    ids=["dependencies", "prefix"],
)
def test_dependencies_and_prefixes_of_include_router_are_rejected(options: dict[str, Any]) -> None:
    router = make_router("a")
    router.get("/a")(_anything)
    app = _application(router)
    verify_compiled_routes(app)

    app.include_router(router, **options)

    with pytest.raises(TypeError, match="belong to the router itself"):
        verify_compiled_routes(app)


def test_dependencies_of_the_application_are_rejected_at_startup() -> None:
    router = make_router("a")
    router.get("/a")(_anything)

    with pytest.raises(TypeError, match="belong to the router itself"):
        _application(router, dependencies=[Depends(_refusing)])


async def test_dependencies_of_a_router_are_called() -> None:
    router = make_router("a")
    router.dependencies.append(Depends(_refusing))
    router.get("/a")(_anything)

    async with Browser(_application(router)) as browser:
        with pytest.raises(RuntimeError, match="the dependency is called"):
            await browser.get("/a")


def test_create_app_verifies_compiled_routes(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    include = FastAPI.include_router

    def include_with_more(app: FastAPI, router: APIRouter) -> None:
        include(app, router, dependencies=[Depends(_refusing)])

    monkeypatch.setattr(FastAPI, "include_router", include_with_more)

    with pytest.raises(TypeError, match="belong to the router itself"):
        create_app(config)

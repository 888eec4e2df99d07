"""Compiled routes respond with the same bytes as FastAPI's own handler."""

from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from inspect import isasyncgenfunction
from typing import Annotated, Any

import httpx
import pytest
from fastapi import (
    BackgroundTasks,
    Cookie,
    Depends,
    FastAPI,
    Query,
    Request,
    Response,
)
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_comment, make_exchange, make_follow, make_like, make_post

from wxc.app import ROUTERS
from wxc.core import clock
from wxc.db.dependencies import open_database
from wxc.http.compiled_route import CompiledRoute
from wxc.http.openapi import operation_id

ALL = [one for router in ROUTERS for one in router.routes if isinstance(one, CompiledRoute)]
ROUTES = [route for route in ALL if route.steps]
QUERIES = (
    "limit=3",
    "limit=0",
    "limit=%2B5",
    "limit=2&limit=3",
    "cursor=nonsense",
    "strange=1",
    "q=bo",
    "currency=USD",
    "lat=1.28&lon=103.85",
    "from=USD&to=SGD&amount=12.50",
    "from=USD&to=SGD&amount=12.50&side=nonsense",
    "from=USD&to=SGD&amount=12.50&as_of=2999-01-01T00:00:00Z",
)
HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("If-None-Match", "*"),),
    (("If-None-Match", '"0.nonsense"'), ("If-None-Match", "*")),
    (("X-CSRF-Token", "wrong"),),
    (("Cookie", "wxc_access=x"),),
)
NAMES = ("bob", "BOB", "nobody", "no%00body", "%0A")


def _requests(route: CompiledRoute, ids: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Paths and headers: an existing resource with valid and invalid parameters, then others."""
    values: dict[str, tuple[str, ...]]
    values = {slot: (good, good[::-1], "nonsense") for slot, good in ids.items()}
    values |= {"username": NAMES}
    (good, *others) = (
        route.path.replace(f"{{{slot}}}", value)
        for slot in [*route.param_convertors, ""][:1]
        for value in values.get(slot, ("",))
    )
    yield from ((f"{good}?{query}", HEADERS[0]) for query in QUERIES)
    yield from ((good, headers) for headers in HEADERS)
    yield from ((other, HEADERS[0]) for other in others)


async def _answers(
    route: CompiledRoute, people: tuple[Browser, ...], ids: dict[str, str]
) -> list[tuple[Any, ...]]:
    method = "".join(route.methods or ())
    answers = []
    for path, headers in _requests(route, ids):
        for person in people:
            sent = [("X-Request-ID", "the-same-id"), *headers]
            if method != "GET" and person.csrf_token and "X-CSRF-Token" not in dict(headers):
                sent.append(("X-CSRF-Token", person.csrf_token))
            answer = await person.http.request(method, path, headers=sent)
            answers.append((path, headers, *_comparable(answer)))
    return answers


def _comparable(answer: httpx.Response) -> tuple[Any, ...]:
    """The response without `RateLimit`, which differs for each request."""
    headers = [pair for pair in answer.headers.multi_items() if pair[0] != "ratelimit"]
    return answer.status_code, headers, answer.content


def _use_fastapi(_route: CompiledRoute, _request: Request) -> None:
    """Replaces `CompiledRoute._arguments`: FastAPI handles every request."""


@pytest.mark.parametrize("route", ROUTES, ids=operation_id)
async def test_compiled_route_and_fastapi_respond_with_the_same_bytes(
    route: CompiledRoute,
    stranger: Browser,
    member: Member,
    connection: AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, bob = await member("ada"), await member("bob")
    await make_follow(connection, ada.id, bob.id)
    post_id, *_ = [await make_post(connection, bob.id) for _ in range(5)]
    await make_like(connection, ada.id, post_id)
    comment_id = await make_comment(connection, bob.id, post_id)
    await make_comment(connection, ada.id, post_id, parent_id=comment_id)
    lines = [{"currency": "USD", "we_buy": Decimal("1.3")}]
    for owner in (ada, bob):
        await make_exchange(connection, owner.id, lines, place=(1.28, 103.85))
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    people = (ada, stranger)
    ids = {"post_id": str(post_id), "comment_id": str(comment_id)}

    compiled = await _answers(route, people, ids)
    monkeypatch.setattr(CompiledRoute, "_arguments", _use_fastapi)
    expected = await _answers(route, people, ids)

    assert compiled == expected
    assert {route.status_code or 200, 422} <= {status for _, _, status, *_ in compiled}


def _tree(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield from _tree(inner)
    yield dependant


def _outlives_the_endpoint(dependant: Dependant) -> bool:
    return isasyncgenfunction(dependant.call) and dependant.scope != "function"


@pytest.mark.parametrize("route", ALL, ids=lambda route: f"{route.name}")
def test_fastapi_serves_only_routes_with_bodies_streams_and_pages(
    route: CompiledRoute,
) -> None:
    needs_more = (
        route.body_field is not None
        or route.response_field is None
        or any(_outlives_the_endpoint(one) for one in _tree(route.dependant))
        or any(one.response_param_name for one in _tree(route.dependant))
    )

    assert bool(route.steps) is not needs_more


async def test_fastapi_serves_invalid_requests_and_overridden_dependencies(
    app: FastAPI, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await member("ada")
    compiled: list[str] = []
    call = CompiledRoute._call

    async def record(self: CompiledRoute, request: Request, arguments: Any) -> object:
        compiled.append(self.path)
        return await call(self, request, arguments)

    monkeypatch.setattr(CompiledRoute, "_call", record)
    await ada.get("/feeds")
    await ada.get("/feeds?limit=0")
    await ada.get("/users/ada")
    monkeypatch.setitem(app.dependency_overrides, open_database, open_database)
    assert (await ada.get("/feeds")).status_code == 200

    assert compiled == ["/feeds", "/users/{username}"]


async def _response() -> Response:
    return Response()


async def _names(names: Annotated[list[str], Query()]) -> str:
    return ", ".join(names)


async def _optional_names(names: Annotated[list[str] | None, Query()] = None) -> str:
    return str(names)


def _in_a_thread() -> None: ...


async def _yielding() -> AsyncIterator[None]:
    yield


class _Model(BaseModel):
    name: str = "nobody"


async def _of_model(model: Annotated[_Model, Query()]) -> str:
    return model.name


async def _with_body(model: _Model) -> str:
    return model.name


async def _of_cookie(name: Annotated[str, Cookie()] = "") -> str:
    return name


async def _with_response(response: Response) -> str:
    response.headers["X-Name"] = "Ada"
    return ""


async def _in_the_background(tasks: BackgroundTasks) -> str:
    return str(len(tasks.tasks))


async def _anything() -> str:
    return ""


async def _refusing() -> None:
    raise RuntimeError("the dependency is called")


async def _uncached(name: Annotated[str, Depends(_anything, use_cache=False)]) -> str:
    return name


@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        (_response, {"response_model": None}),
        (_anything, {"dependencies": [Depends(_in_a_thread)]}),
        (_anything, {"dependencies": [Depends(_yielding)]}),
        (_anything, {"dependencies": [Depends(_anything)]}),
        (_anything, {"dependencies": [Depends(_refusing, scope="function")]}),
        (_uncached, {}),
        (_anything, {"response_model_exclude_none": True}),
        (_names, {}),
        (_optional_names, {}),
        (_of_model, {}),
        (_with_body, {"methods": ["POST"]}),
        (_of_cookie, {}),
        (_with_response, {}),
        (_in_the_background, {}),
    ],
)
def test_fastapi_serves_routes_with_unsupported_features(
    endpoint: Callable[..., Any], options: dict[str, Any]
) -> None:
    assert CompiledRoute("/a", _anything).steps
    assert not CompiledRoute("/a", endpoint, **options).steps


def test_last_step_is_the_endpoint_and_steps_read_all_parameters() -> None:
    for route in ROUTES:
        assert route.steps[-1].call is route.endpoint
        for step in route.steps:
            fresh = get_dependant(path=route.path, call=step.call)
            names = {one.name for one in (*step.path, *step.query, *step.headers)}
            expected = (*fresh.path_params, *fresh.query_params, *fresh.header_params)
            assert names == {one.name for one in expected}
            assert step.request_name == fresh.request_param_name

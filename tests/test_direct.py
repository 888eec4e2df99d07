"""The routes that are asked most are answered by a shorter way: with the very same answers."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import Scope

from tests.browser import Browser
from tests.conftest import Member
from tests.factories import make_comment, make_exchange, make_follow, make_like, make_post
from wxc.app import _MOST_ASKED, _routes
from wxc.core import clock
from wxc.core.dependencies import open_database, refuse_unknown_parameters
from wxc.core.direct import DirectRoutes
from wxc.core.openapi import operation_id

ROUTES = [route for route in _routes() if operation_id(route) in _MOST_ASKED]
QUERIES = (
    "limit=3",
    "limit=0",
    "limit=%2B5",
    "limit=2&limit=3",
    "cursor=nonsense",
    "strange=1",
    "lat=1.28&lon=103.85",
    "from=USD&to=SGD&amount=12.50",
    "from=USD&to=SGD&amount=12.50&side=nonsense",
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"If-None-Match": "*"},
    {"X-CSRF-Token": "wrong"},
    {"Cookie": "wxc_access=x"},
)
NAMES = ("bob", "BOB", "nobody", "no%00body", "%0A")


def _asked_for(route: APIRoute, ids: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """What is there with good and bad parameters and headers; what is not, and what cannot be."""
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
    route: APIRoute, people: tuple[Browser, ...], ids: dict[str, str]
) -> list[tuple[Any, ...]]:
    method = "".join(route.methods or ())
    answers = []
    for path, headers in _asked_for(route, ids):
        for person in people:
            sent = {"X-Request-ID": "the-same-id", **headers}
            answer = await person.request(method, path, headers=sent)
            answers.append((path, headers, *_all_of(answer)))
    return answers


def _all_of(answer: httpx.Response) -> tuple[Any, ...]:
    """All but what tells how many requests are left."""
    headers = [pair for pair in answer.headers.multi_items() if pair[0] != "ratelimit"]
    return answer.status_code, headers, answer.content


def _never(_self: DirectRoutes, _scope: Scope) -> None: ...


@pytest.mark.parametrize("route", ROUTES, ids=operation_id)
async def test_both_ways_give_the_same_bytes(
    route: APIRoute,
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
    await make_exchange(connection, bob.id, lines, place=(1.28, 103.85))
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    people = (ada, stranger)
    ids = {"post_id": str(post_id), "comment_id": str(comment_id)}

    directly = await _answers(route, people, ids)
    monkeypatch.setattr(DirectRoutes, "find", _never)
    ordinarily = await _answers(route, people, ids)

    assert directly == ordinarily
    assert {200, 422} <= {status for _, _, status, *_ in directly}


async def test_the_direct_way_is_taken_and_left_to_tests_that_override(
    app: FastAPI, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await member("ada")
    taken: list[str] = []
    find = DirectRoutes.find

    def noted(self: DirectRoutes, scope: Scope) -> Any:
        found = find(self, scope)
        taken.extend([scope["route"].path] if found else [])
        return found

    monkeypatch.setattr(DirectRoutes, "find", noted)
    await ada.get("/feeds")
    await ada.get("/feeds?limit=0")
    await ada.get("/users/ada")
    monkeypatch.setitem(app.dependency_overrides, open_database, open_database)
    await ada.get("/feeds")

    assert taken == ["/feeds", "/users/{username}"]


async def _answer() -> Response:
    return Response()


async def _named(names: Annotated[list[str], Query()]) -> str:
    return ", ".join(names)


def _plain() -> None: ...


async def _refuse(_request: Request, _error: Exception) -> Response:
    return Response()


@pytest.mark.parametrize(
    ("route", "why"),
    [
        (APIRoute("/a", _answer, response_model=None), "without a model"),
        (APIRoute("/a", _answer, response_model=str, dependencies=[Depends(_plain)]), "a thread"),
        (APIRoute("/a", _named, response_model=str), "several values of one name"),
    ],
    ids=["no model", "thread", "several values"],
)
def test_a_route_that_needs_more_is_refused_at_the_start(
    app: FastAPI, route: APIRoute, why: str
) -> None:
    with pytest.raises(TypeError, match="needs more than is done directly"):
        DirectRoutes(app, routes=[route], first=refuse_unknown_parameters, refuse=_refuse)

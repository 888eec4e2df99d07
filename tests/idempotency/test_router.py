"""A request repeated with the same `Idempotency-Key` takes effect once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.database import SingleConnectionDatabase, StatementLog
from tests.support.factories import make_block, make_comment, make_post, make_user

from wxc.core import clock
from wxc.idempotency import service
from wxc.models import IdempotencyKey

KEY = {"Idempotency-Key": '6f1c-"~!'}


class Route:
    """A route that accepts an `Idempotency-Key`, called by Ada."""

    def __init__(self, ada: Browser, path: str) -> None:
        self.ada = ada
        self.path = path

    async def send(self, body: str = "hello", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ada.post(self.path, json={"body": body}, headers={**KEY, **named})


@pytest.fixture(params=["posts", "comments"])
async def route(
    request: pytest.FixtureRequest, member: Member, connection: AsyncConnection
) -> Route:
    ada = await member("ada")
    post = await make_post(connection, await make_user(connection, "bob"))
    return Route(ada, "/posts" if request.param == "posts" else f"/posts/{post}/comments")


async def test_the_first_response_is_replayed_without_effect(route: Route) -> None:
    first = await route.send()
    second = await route.send()

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert second.headers["content-type"] == "application/json"
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await _list_items(route)) == 1


async def test_the_first_response_is_replayed_even_after_an_edit(route: Route) -> None:
    first = await route.send()
    await route.ada.put(first.headers["location"], json={"body": "changed"})

    assert (await route.send()).content == first.content


async def test_another_body_under_the_same_key_is_a_mismatch(route: Route) -> None:
    await route.send()

    answer = await route.send("something else")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert len(await _list_items(route)) == 1


async def test_another_key_is_another_request(route: Route) -> None:
    await route.send()
    await route.send(Idempotency_Key="another")

    assert len(await _list_items(route)) == 2


async def test_a_refusal_is_not_stored(route: Route) -> None:
    refused = await route.send("")

    assert refused.status_code == 422
    assert (await route.send()).status_code == 201


async def test_a_key_applies_to_one_member_and_one_route(
    route: Route, member: Member, connection: AsyncConnection
) -> None:
    await route.send()
    eve = await member("eve")
    other = await make_post(connection, eve.id)

    strangers = await Route(eve, route.path).send()
    on_another_route = await Route(
        route.ada, f"/posts/{other}/comments" if route.path == "/posts" else "/posts"
    ).send()

    for answer in (strangers, on_another_route):
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers


async def test_the_same_body_under_another_post_is_a_mismatch(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")
    posts = [await make_post(connection, ada.id) for _ in range(2)]

    answers = [await Route(ada, f"/posts/{post}/comments").send() for post in posts]

    assert [answer.status_code for answer in answers] == [201, 422]


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "caf\u00e9", "\x7f", "\t"])
async def test_a_key_must_be_visible_ascii_of_at_most_255_characters(
    route: Route, key: str
) -> None:
    headers: Any = [(b"Idempotency-Key", key.encode("latin-1"))]
    token = (b"X-CSRF-Token", (route.ada.csrf_token or "").encode())

    answer = await route.ada.http.post(route.path, json={"body": "x"}, headers=[*headers, token])

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == "header.Idempotency-Key"
    assert await _list_items(route) == []


async def test_a_repeated_header_is_refused_and_a_key_of_255_characters_accepted(
    route: Route,
) -> None:
    token = (b"X-CSRF-Token", (route.ada.csrf_token or "").encode())
    twice = [(b"Idempotency-Key", b"a"), (b"Idempotency-Key", b"b"), token]

    refused = await route.ada.http.post(route.path, json={"body": "x"}, headers=twice)

    assert refused.json()["errors"][0]["pointer"] == "header.Idempotency-Key"
    assert (await route.send(Idempotency_Key="a" * 255)).status_code == 201


async def test_without_a_key_nothing_is_queried_or_stored(
    route: Route, connection: AsyncConnection
) -> None:
    with StatementLog().watching(connection) as log:
        for _ in range(2):
            await route.ada.post(route.path, json={"body": "hello"})

    assert not any("idempotency" in statement for statement in log.statements)
    assert len(await _list_items(route)) == 2


async def test_a_deleted_subject_is_not_replayed(route: Route, connection: AsyncConnection) -> None:
    first = await route.send()
    await route.ada.delete(first.headers["location"])
    assert await _count_stored(connection) == 0

    again = await route.send()

    assert again.status_code == 201
    assert again.json()["id"] != first.json()["id"]


async def test_a_stored_response_is_deleted_with_its_comment_or_post(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")
    post = await make_post(connection, ada.id)
    route = Route(ada, f"/posts/{post}/comments")
    comment = (await route.send()).json()["id"]
    await make_comment(connection, ada.id, post, UUID(comment))
    await route.send(Idempotency_Key="another")
    assert await _count_stored(connection) == 2

    await ada.delete(f"/comments/{comment}")
    assert await _count_stored(connection) == 1
    await ada.delete(f"/posts/{post}")

    assert await _count_stored(connection) == 0


async def test_an_invisible_subject_is_not_replayed(
    member: Member, connection: AsyncConnection
) -> None:
    ada, bob = await member("ada"), await make_user(connection)
    route = Route(ada, f"/posts/{await make_post(connection, bob)}/comments")
    await route.send()
    await make_block(connection, bob, ada.id)

    answer = await route.send()

    assert (answer.status_code, answer.json()["code"]) == (404, "comment_not_found")


async def test_a_key_can_be_reused_after_24_hours(
    route: Route, connection: AsyncConnection
) -> None:
    first = await route.send()
    await connection.execute(
        text("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'")
    )

    again = await route.send()

    assert again.status_code == 201
    assert again.json()["id"] != first.json()["id"]
    assert (await route.send()).content == again.content


async def test_expired_responses_are_deleted_in_batches(
    route: Route, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await route.send(Idempotency_Key=f"old-{number}")
    now = clock.now()
    monkeypatch.setattr(service, "_PURGE_BATCH_SIZE", 2)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=25))

    with StatementLog().watching(connection) as log:
        await service.purge_expired(SingleConnectionDatabase(connection))

    assert len(log.statements) == 2
    assert await _count_stored(connection) == 0


async def test_fresh_responses_are_not_deleted(route: Route, connection: AsyncConnection) -> None:
    await route.send()

    await service.purge_expired(SingleConnectionDatabase(connection))

    assert await _count_stored(connection) == 1


async def _list_items(route: Route) -> list[Any]:
    path = "/users/ada/posts" if route.path == "/posts" else route.path
    items: list[Any] = (await route.ada.get(path)).json()["items"]
    return items


async def _count_stored(connection: AsyncConnection) -> int | None:
    return await connection.scalar(select(func.count()).select_from(IdempotencyKey))

"""The budget of SQL statements and Redis round trips for each request."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.database import StatementLog
from tests.support.factories import (
    PASSWORD,
    make_comment,
    make_exchange,
    make_follow,
    make_like,
    make_post,
    make_user,
)
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.models import Exchange

T = TypeVar("T")


@pytest.fixture
def config(config: Config) -> Config:
    """One poll of revocations is recent enough for a whole test, even on a slow machine."""
    return config.model_copy(update={"revocation_poll_interval": 600})


@pytest.fixture
async def ada(member: Member, connection: AsyncConnection) -> Browser:
    """A member who follows bob; both have posts with comments, ada and eve have exchanges."""
    ada, bob = await member("ada"), await make_user(connection, "bob")
    await make_follow(connection, ada.id, bob)
    for author in (ada.id, bob):
        post_id = await make_post(connection, author)
        comment_id = await make_comment(connection, ada.id, post_id)
        await make_comment(connection, bob, post_id, comment_id)
    eve = await make_user(connection, "eve")
    for owner in (ada.id, eve):
        begun = datetime(2026, 10, 1, tzinfo=UTC)
        exchange_id = await make_exchange(connection, owner, confirmed_at=begun)
        await connection.execute(
            update(Exchange).where(Exchange.id == exchange_id).values(confirmed_at=clock.now())
        )
    return ada


@pytest.fixture
def round_trips(redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One item for each round trip to Redis."""
    counted: list[int] = []
    call = redis.call

    async def count(command: Callable[[Any], Awaitable[T]]) -> T:
        counted.append(1)
        return await call(command)

    monkeypatch.setattr(redis, "call", count)
    return counted


# Requests with more round trips than the one that looks up the session.
ROUND_TRIPS = {
    ("POST", "/users/eve/follow"): 2,  # and the event for the followed member
    **dict.fromkeys(  # and the event for viewers of the board
        [("PUT", "/exchange"), ("POST", "/exchange/confirm"), ("DELETE", "/exchange")], 2
    ),
    ("PUT", "/settings/username"): 2,  # and the limit of wrong passwords
    # and that limit, and those of the client, the member and both addresses
    ("PUT", "/settings/email"): 5,
}


@pytest.mark.parametrize(
    ("method", "path", "body", "statements"),
    [
        ("GET", "/feeds", None, 1),
        ("GET", "/users?q=bob", None, 1),
        ("GET", "/users/bob", None, 1),
        ("GET", "/users/bob/posts", None, 1),
        ("GET", "/users/bob/followers", None, 1),
        ("GET", "/users/ada/following", None, 1),
        ("GET", "/posts/{post}", None, 1),
        ("GET", "/auth-check", None, 1),
        ("GET", "/settings", None, 1),
        ("PUT", "/settings", {"bio": "hello"}, 1),
        ("PUT", "/settings/email", {"email": "a@b.example", "current_password": PASSWORD}, 6),
        ("PUT", "/settings/username", {"username": "eda", "current_password": PASSWORD}, 5),
        ("POST", "/posts", {"body": "hello"}, 1),
        ("PUT", "/posts/{post}", {"body": "changed"}, 3),
        ("DELETE", "/posts/{post}", None, 2),
        ("POST", "/posts/{post}/like", None, 1),
        ("DELETE", "/posts/{post}/like", None, 1),
        ("GET", "/posts/{post}/likes", None, 1),
        ("GET", "/posts/{post}/comments", None, 2),
        ("GET", "/posts/{post}/comments?sort=newest&depth=0", None, 2),
        ("POST", "/posts/{post}/comments", {"body": "hello"}, 2),
        ("POST", "/posts/{post}/comments", {"body": "hello", "parent_id": "{comment}"}, 3),
        ("GET", "/comments/{comment}", None, 1),
        ("GET", "/comments/{comment}/replies", None, 2),
        ("PUT", "/comments/{comment}", {"body": "changed"}, 3),
        ("DELETE", "/comments/{comment}", None, 4),
        ("DELETE", "/comments/{reply}", None, 3),
        ("POST", "/comments/{comment}/like", None, 3),
        ("DELETE", "/comments/{comment}/like", None, 3),
        ("POST", "/users/eve/follow", None, 3),
        ("DELETE", "/users/bob/follow", None, 3),
        ("POST", "/users/bob/block", None, 5),
        ("DELETE", "/users/bob/block", None, 3),
        ("GET", "/settings/blocks", None, 1),
        ("POST", "/users/bob/mute", None, 3),
        ("DELETE", "/users/bob/mute", None, 3),
        ("GET", "/settings/mutes", None, 1),
        ("GET", "/notifications", None, 2),
        ("GET", "/exchange", None, 1),
        ("GET", "/users/eve/exchange", None, 1),
        ("GET", "/users/eve/exchange?as_of=2026-11-01T00:00:00Z", None, 1),
        ("GET", "/users/eve/exchange/quote?from=SGD&to=JPY&amount=5", None, 1),
        ("GET", "/users/eve/exchange/history?currency=JPY", None, 2),
        ("GET", "/exchanges?from=SGD&to=JPY&amount=5", None, 1),
        ("GET", "/exchanges?from=SGD&to=JPY&amount=5&open_now=true", None, 2),
        ("PUT", "/exchange", {"name": "A", "base_currency": "SGD", "rates": []}, 5),
        ("POST", "/exchange/confirm", None, 4),
        ("DELETE", "/exchange", None, 2),
        ("GET", "/notifications?unread=true", None, 2),
        ("POST", "/notifications/read", {"up_to": "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6071"}, 2),
    ],
)
async def test_request_costs_exactly_its_budget(
    ada: Browser,
    connection: AsyncConnection,
    round_trips: list[int],
    method: str,
    path: str,
    body: dict[str, Any] | None,
    statements: int,
) -> None:
    post = (await ada.get("/users/ada/posts")).json()["items"][0]["id"]
    comment, reply = [
        item["id"] for item in (await ada.get(f"/posts/{post}/comments")).json()["items"]
    ]
    await ada.get("/auth-check")  # loads the revocations into Redis
    round_trips.clear()
    ids = {"post": post, "comment": comment, "reply": reply}
    body = body and {
        name: value.format(**ids) if isinstance(value, str) else value
        for name, value in body.items()
    }

    with StatementLog().watching(connection) as log:
        answer = await ada.request(method, path.format(**ids), json=body)

    assert answer.is_success, answer.text
    assert len(log.statements) == statements, "\n\n".join(log.statements)
    assert len(round_trips) == ROUND_TRIPS.get((method, path), 1)


async def test_idempotency_key_adds_three_statements(
    ada: Browser, connection: AsyncConnection
) -> None:
    await ada.get("/auth-check")  # loads the revocations into Redis

    with StatementLog().watching(connection) as log:
        await ada.post("/posts", json={"body": "hello"}, headers={"Idempotency-Key": "once"})

    assert len(log.statements) == 1 + 3


async def test_feed_with_recent_posts_takes_a_second_statement(
    member: Member, connection: AsyncConnection
) -> None:
    newcomer = await member("newcomer")
    await newcomer.get("/auth-check")  # loads the revocations into Redis

    with StatementLog().watching(connection) as log:
        await newcomer.get("/feeds")

    assert len(log.statements) == 2


@pytest.mark.parametrize("edges", [1, 30])
async def test_deleting_an_account_costs_the_same_with_any_number_of_edges(
    ada: Browser, connection: AsyncConnection, round_trips: list[int], edges: int
) -> None:
    for _ in range(edges):
        other = await make_user(connection)
        await make_follow(connection, ada.id, other)
        await make_follow(connection, other, ada.id)
        await make_like(connection, ada.id, await make_post(connection, other))
    await ada.get("/auth-check")  # loads the revocations into Redis
    round_trips.clear()

    with StatementLog().watching(connection) as log:
        answer = await ada.delete("/settings", json={"current_password": PASSWORD})

    assert answer.status_code == 204
    assert len(log.statements) == 21, "\n\n".join(log.statements)  # three for each comment
    assert len(round_trips) == 3  # the session, the limit of wrong passwords, the event

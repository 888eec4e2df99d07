"""Likes that wait for a lock on the post; `comments/test_races.py` has many concurrent likes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from tests.support.app import registered_browser, running_app
from tests.support.browser import Browser
from tests.support.database import wait_until_blocked
from tests.support.limits import UNLIMITED

from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.db import commits

_STATE = """
    SELECT (SELECT count(*) FROM post_likes WHERE post_id = :post),
           (SELECT count(*) FROM notifications WHERE post_id = :post),
           (SELECT likes_count FROM posts WHERE id = :post)
"""
SHORT_DEADLINE = timedelta(seconds=0.1)
"""A value of `COMMIT_DEADLINE` that passes while a like waits."""


class Scene:
    """Ada likes her own post; Bob does not."""

    def __init__(self, app: FastAPI, ada: Browser, bob: Browser, post_id: str) -> None:
        self.app = app
        self.ada = ada
        self.bob = bob
        self.post_id = post_id

    async def like_during(self, statement: str) -> tuple[int, str | None]:
        """Status and code of Bob's like, which waits for a transaction executing `statement`."""
        async with self.app.state.services.database.transaction() as session:
            await session.execute(text(statement), {"post": self.post_id})
            waiting = asyncio.create_task(self.bob.post(f"/posts/{self.post_id}/like"))
            await wait_until_blocked(self.app.state.services.database)
            await asyncio.sleep(2 * SHORT_DEADLINE.total_seconds())
            assert not waiting.done()
        answer = await waiting
        return answer.status_code, answer.json().get("code")

    async def state(self) -> tuple[int | None, ...]:
        """The numbers of likes and notifications, and `likes_count` of the post."""
        async with self.app.state.services.database.transaction() as session:
            row = (await session.execute(text(_STATE), {"post": self.post_id})).one()
            return tuple(row)


@pytest.fixture
async def scene(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[Scene]:
    changed = {"database_url": fresh_database_url, **UNLIMITED}
    async with running_app(config.model_copy(update=changed)) as app, AsyncExitStack() as stack:
        ada, bob = (
            await registered_browser(app, stack, "ada"),
            await registered_browser(app, stack, "bob"),
        )
        post = (await ada.post("/posts", json={"body": "hello"})).json()
        await ada.post(f"/posts/{post['id']}/like")
        yield Scene(app, ada, bob, post["id"])


async def test_a_like_that_waited_for_a_lock_increments_the_committed_count(scene: Scene) -> None:
    answer = await scene.like_during("UPDATE posts SET likes_count = 41 WHERE id = :post")

    assert answer == (200, None)
    assert await scene.state() == (2, 1, 42)


async def test_polling_finds_a_like_that_waited_for_a_lock(scene: Scene) -> None:
    likes = f"/posts/{scene.post_id}/likes"
    async with scene.app.state.services.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM posts FOR UPDATE"))
        waiting = asyncio.create_task(scene.bob.post(f"/posts/{scene.post_id}/like"))
        await wait_until_blocked(scene.app.state.services.database)
        first = (await scene.ada.get(likes)).json()
    assert (await waiting).status_code == 200

    polled = (await scene.ada.get(likes, params={"cursor": first["prev_cursor"]})).json()

    assert [user["username"] for user in first["items"]] == ["ada"]
    assert "bob" in [user["username"] for user in polled["items"]]


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("UPDATE posts SET likes_count = 41 WHERE id = :post", 41),
        ("SELECT 1 FROM posts WHERE id = :post FOR UPDATE", 1),
    ],
)
async def test_a_like_after_its_commit_deadline_writes_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, statement: str, count: int
) -> None:
    monkeypatch.setattr(commits, "COMMIT_DEADLINE", SHORT_DEADLINE)

    assert await scene.like_during(statement) == (503, "retry")
    assert await scene.state() == (1, 0, count)


async def test_liking_a_post_that_is_deleted_concurrently_is_not_found(scene: Scene) -> None:
    answer = await scene.like_during("DELETE FROM posts WHERE id = :post")

    assert answer == (404, "post_not_found")
    assert await scene.state() == (0, 0, None)

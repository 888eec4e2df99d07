"""Blocks, unfollows and deletions take effect on the next read, on every instance."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import mail_config, smtp
from tests.support.social_graph import app, engine, friends, real, scalar
from wxc.accounts.deletion import service as deletions
from wxc.core.config import Config
from wxc.db.recount import recount

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

__all__ = ["app", "engine", "friends", "mail_config", "real", "smtp"]
OWN = ("/users/{name}", "/users/{name}/posts", "/posts/{post}")
"""Member 1's profile and posts."""
LISTS = (
    "/feeds",
    "/notifications",
    "/users?q={name}",
    "/users/member_0/followers",
    "/users/member_0/following",
    "/users/member_2/followers",
    "/posts/{mine}/likes",
    "/posts/{mine}/comments",
)
"""Lists that include member 1."""


class Reader:
    """Member 0 on another instance, who has already read all data of member 1."""

    def __init__(self, browser: Browser, mine: str, post: str) -> None:
        self.browser = browser
        self.named = {"name": "member_1", "mine": mine, "post": post}
        self.tags: dict[str, str] = {}

    async def read(self, path: str) -> httpx.Response:
        """The current response, requested with the `ETag` of the previous one."""
        known = {"If-None-Match": self.tags[path]} if path in self.tags else {}
        answer = await self.browser.get(path.format(**self.named), headers=known)
        if "etag" in answer.headers:
            self.tags[path] = answer.headers["etag"]
        return answer

    async def names(self, path: str) -> bool:
        return '"username":"member_1"' in (await self.read(path)).text


@pytest.fixture
async def reader(real: Config, friends: list[Browser]) -> AsyncIterator[Reader]:
    """A reader to whom every path has shown member 1 once."""
    mine, post = [await _post_of(browser) for browser in friends[:2]]
    assert (await friends[1].post(f"/posts/{mine}/comments", json={"body": "well"})).is_success
    assert (await friends[1].post(f"/posts/{post}/comments", json={"body": "so"})).is_success
    async with running_app(real) as elsewhere, Browser(elsewhere) as browser:
        await browser.log_in("member_0")
        reader = Reader(browser, mine, post)
        for path in (*OWN, *LISTS):
            assert await reader.names(path), path
        yield reader


async def _post_of(browser: Browser) -> str:
    posts = (await browser.get(f"/users/{browser.username}/posts")).json()["items"]
    return str(posts[0]["id"])


async def drifted(config: Config) -> list[str]:
    """The counters that do not match their rows."""
    return [one.counter for one in await recount(config, repair=False) if one.drifted]


@pytest.mark.parametrize("role", ["blocker", "blocked"])
async def test_block_hides_both_members_on_the_next_read(
    reader: Reader, friends: list[Browser], role: str
) -> None:
    one, other = (0, 1) if role == "blocker" else (1, 0)
    assert (await friends[one].post(f"/users/member_{other}/block")).is_success

    for path in LISTS:
        assert not await reader.names(path), path
    for path in OWN:
        is_profile_of_blocked = path == "/users/{name}" and role == "blocker"
        assert (await reader.read(path)).status_code == (200 if is_profile_of_blocked else 404)


async def test_unfollowed_member_leaves_the_feed_on_the_next_read(
    reader: Reader, friends: list[Browser]
) -> None:
    assert (await friends[0].delete("/users/member_1/follow")).is_success

    assert not await reader.names("/feeds")
    assert not await reader.names("/users/member_0/following")
    profile = (await reader.read("/users/{name}")).json()
    assert (profile["viewer"]["following"], profile["followers_count"]) == (False, 4)


async def test_deleted_account_disappears_on_the_next_read_and_from_all_counters(
    app: FastAPI, real: Config, reader: Reader, friends: list[Browser], engine: AsyncEngine
) -> None:
    answer = await friends[1].delete("/settings", json={"current_password": PASSWORD})
    assert answer.status_code == 204

    for path in OWN:
        assert (await reader.read(path)).status_code == 404, path
    for path in LISTS:
        assert not await reader.names(path), path
    profile = (await reader.read("/users/member_0")).json()
    assert (profile["followers_count"], profile["following_count"]) == (4, 4)
    post = (await reader.read("/posts/{mine}")).json()
    assert (post["likes_count"], post["comments_count"]) == (4, 0)
    assert (await friends[1].get("/auth-check")).status_code == 401

    while await deletions.purge_batch(app.state.services.database, retention=timedelta()):
        pass
    assert await drifted(real) == []
    assert await scalar(engine, "SELECT count(*) FROM users WHERE username = 'member_1'") == 0


async def test_deleting_a_post_deletes_its_thread_and_notifications(
    real: Config, reader: Reader, friends: list[Browser], engine: AsyncEngine
) -> None:
    thread = f"/posts/{reader.named['post']}/comments"
    comment = (await friends[0].post(thread, json={"body": "hear, hear"})).json()["id"]
    assert (await friends[2].post(f"/comments/{comment}/like")).is_success
    assert (await friends[1].delete(f"/posts/{reader.named['post']}")).status_code == 204

    paths = ("/posts/{post}", "/posts/{post}/likes", "/posts/{post}/comments")
    for path in (*paths, f"/comments/{comment}", f"/comments/{comment}/replies"):
        assert (await reader.read(path)).status_code == 404, path
    assert (await reader.read("/users/{name}/posts")).json()["items"] == []
    assert (await reader.read("/users/{name}")).json()["posts_count"] == 0
    assert reader.named["post"] not in (await reader.read("/feeds")).text
    assert reader.named["post"] not in (await friends[1].get("/notifications")).text
    assert await drifted(real) == []
    orphans = f"SELECT count(*) FROM notifications WHERE post_id = '{reader.named['post']}'"  # noqa: S608
    assert await scalar(engine, orphans) == 0

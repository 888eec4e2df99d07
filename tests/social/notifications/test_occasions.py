"""What is told to whom: once for each comment, likes of one thing together, nothing of oneself."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_block, make_mute, make_user


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def bob(member: Member) -> Browser:
    return await member("bob")


@pytest.fixture
async def kim(member: Member) -> Browser:
    return await member("kim")


async def write(browser: Browser, body: str = "hello") -> str:
    answer = await browser.post("/posts", json={"body": body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def say(browser: Browser, post: str, body: str = "hello", parent: str | None = None) -> str:
    said = {"body": body} | ({"parent_id": parent} if parent else {})
    answer = await browser.post(f"/posts/{post}/comments", json=said)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def told(browser: Browser) -> list[dict[str, Any]]:
    answer = await browser.get("/notifications")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def types(browser: Browser) -> list[str]:
    return [group["type"] for group in await told(browser)]


class TestLikes:
    async def test_likes_of_a_post_are_one_group_of_who_did(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write(ada)
        for fan in (bob, kim, ada):
            await fan.post(f"/posts/{post}/like")

        (group,) = await told(ada)

        assert (group["type"], group["count"], group["unread"]) == ("post_like", 2, True)
        assert [actor["username"] for actor in group["actors"]] == ["kim", "bob"]
        assert (group["post_id"], group["comment_id"]) == (post, None)

    async def test_likes_of_a_comment_tell_its_author_which_one(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write(bob)
        comment = await say(ada, post)
        await kim.post(f"/comments/{comment}/like")

        (group,) = await told(ada)

        assert (group["type"], group["post_id"]) == ("comment_like", post)
        assert group["comment_id"] == comment

    @pytest.mark.parametrize("path", ["/posts/{post}/like", "/comments/{comment}/like"])
    async def test_a_like_that_is_taken_back_and_given_again_tells_nothing_new(
        self, ada: Browser, bob: Browser, path: str
    ) -> None:
        post = await write(ada)
        comment = await say(ada, post)
        address = path.format(post=post, comment=comment)
        await bob.post(address)
        (before,) = await told(ada)
        await ada.post("/notifications/read", json={"up_to": before["id"]})

        await bob.delete(address)
        assert await told(ada) == []
        await bob.post(address)

        assert await told(ada) == [before | {"unread": False}]


class TestComments:
    async def test_a_comment_tells_the_author_of_the_post(self, ada: Browser, bob: Browser) -> None:
        post = await write(ada)
        comment = await say(bob, post)

        (group,) = await told(ada)

        assert (group["type"], group["post_id"]) == ("post_comment", post)
        assert (group["comment_id"], group["count"]) == (comment, 1)

    async def test_each_is_told_once_a_reply_before_a_mention_before_the_post(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write(ada)
        first = await say(bob, post)
        await say(kim, post, "@ada @bob @kim @nobody_at_all look", first)

        assert await types(ada) == ["mention", "post_comment"]
        assert await types(bob) == ["comment_reply"]
        assert await types(kim) == []

    async def test_comments_are_not_grouped(self, ada: Browser, bob: Browser) -> None:
        post = await write(ada)
        for _ in range(3):
            await say(bob, post)

        assert await types(ada) == ["post_comment"] * 3

    async def test_a_comment_that_goes_takes_along_what_was_told_of_it(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write(ada)
        parent = await say(bob, post, "@kim look")
        reply = await say(kim, post, "yes", parent)
        await ada.post(f"/comments/{parent}/like")
        assert await types(bob) == ["comment_like", "comment_reply"]

        await bob.delete(f"/comments/{parent}")  # leaves a tombstone

        assert [group["comment_id"] for group in await told(ada)] == [reply]
        assert [group["comment_id"] for group in await told(bob)] == [reply]
        assert await told(kim) == []
        await kim.delete(f"/comments/{reply}")
        assert (await told(ada), await told(bob)) == ([], [])


class TestMentions:
    async def test_a_post_tells_whom_it_mentions(self, ada: Browser, bob: Browser) -> None:
        post = await write(bob, "@Ada @ada and @bob")

        (group,) = await told(ada)

        assert (group["type"], group["post_id"], group["comment_id"]) == ("mention", post, None)
        assert await told(bob) == []

    async def test_nobody_reaches_who_is_not_there_for_them(
        self, ada: Browser, bob: Browser, connection: AsyncConnection
    ) -> None:
        await make_block(connection, ada.id, bob.id)
        await write(bob, "@ada @noise_1")
        await ada.delete("/users/bob/block")

        assert await told(ada) == []

    async def test_who_is_muted_is_not_heard_until_they_are_unmuted(
        self, ada: Browser, bob: Browser, connection: AsyncConnection
    ) -> None:
        await make_mute(connection, ada.id, bob.id)
        await write(bob, "@ada")
        assert await told(ada) == []

        await ada.delete("/users/bob/mute")

        assert await types(ada) == ["mention"]

    async def test_twenty_are_told_and_no_more(
        self, ada: Browser, member: Member, connection: AsyncConnection
    ) -> None:
        names = [f"person_{number}" for number in range(20)]
        for name in names:
            await make_user(connection, name)
        last = await member("last")
        await write(ada, " ".join(f"@{name}" for name in [*names, "last"]))

        assert await told(last) == []

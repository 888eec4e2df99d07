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


async def write_post(browser: Browser, body: str = "hello") -> str:
    answer = await browser.post("/posts", json={"body": body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def write_comment(
    browser: Browser, post: str, body: str = "hello", parent: str | None = None
) -> str:
    comment = {"body": body} | ({"parent_id": parent} if parent else {})
    answer = await browser.post(f"/posts/{post}/comments", json=comment)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def list_groups(browser: Browser) -> list[dict[str, Any]]:
    answer = await browser.get("/notifications")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def group_types(browser: Browser) -> list[str]:
    return [group["type"] for group in await list_groups(browser)]


class TestLikes:
    async def test_likes_of_a_post_are_one_group_with_the_latest_actors(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write_post(ada)
        for fan in (bob, kim, ada):
            await fan.post(f"/posts/{post}/like")

        (group,) = await list_groups(ada)

        assert (group["type"], group["count"], group["unread"]) == ("post_like", 2, True)
        assert [actor["username"] for actor in group["actors"]] == ["kim", "bob"]
        assert (group["post_id"], group["comment_id"]) == (post, None)

    async def test_a_like_of_a_comment_notifies_its_author(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write_post(bob)
        comment = await write_comment(ada, post)
        await kim.post(f"/comments/{comment}/like")

        (group,) = await list_groups(ada)

        assert (group["type"], group["post_id"]) == ("comment_like", post)
        assert group["comment_id"] == comment

    @pytest.mark.parametrize("path", ["/posts/{post}/like", "/comments/{comment}/like"])
    async def test_repeating_a_deleted_like_restores_the_notification(
        self, ada: Browser, bob: Browser, path: str
    ) -> None:
        post = await write_post(ada)
        comment = await write_comment(ada, post)
        address = path.format(post=post, comment=comment)
        await bob.post(address)
        (before,) = await list_groups(ada)
        await ada.post("/notifications/read", json={"up_to": before["id"]})

        await bob.delete(address)
        assert await list_groups(ada) == []
        await bob.post(address)

        assert await list_groups(ada) == [before | {"unread": False}]


class TestComments:
    async def test_a_comment_notifies_the_author_of_the_post(
        self, ada: Browser, bob: Browser
    ) -> None:
        post = await write_post(ada)
        comment = await write_comment(bob, post)

        (group,) = await list_groups(ada)

        assert (group["type"], group["post_id"]) == ("post_comment", post)
        assert (group["comment_id"], group["count"]) == (comment, 1)

    async def test_a_reply_takes_precedence_over_a_mention_and_a_mention_over_the_post(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write_post(ada)
        first = await write_comment(bob, post)
        await write_comment(kim, post, "@ada @bob @kim @nobody_at_all look", first)

        assert await group_types(ada) == ["mention", "post_comment"]
        assert await group_types(bob) == ["comment_reply"]
        assert await group_types(kim) == []

    async def test_comments_are_not_grouped(self, ada: Browser, bob: Browser) -> None:
        post = await write_post(ada)
        for _ in range(3):
            await write_comment(bob, post)

        assert await group_types(ada) == ["post_comment"] * 3

    async def test_deleting_a_comment_deletes_its_notifications(
        self, ada: Browser, bob: Browser, kim: Browser
    ) -> None:
        post = await write_post(ada)
        parent = await write_comment(bob, post, "@kim look")
        reply = await write_comment(kim, post, "yes", parent)
        await ada.post(f"/comments/{parent}/like")
        assert await group_types(bob) == ["comment_like", "comment_reply"]

        await bob.delete(f"/comments/{parent}")  # leaves a tombstone

        assert [group["comment_id"] for group in await list_groups(ada)] == [reply]
        assert [group["comment_id"] for group in await list_groups(bob)] == [reply]
        assert await list_groups(kim) == []
        await kim.delete(f"/comments/{reply}")
        assert (await list_groups(ada), await list_groups(bob)) == ([], [])


class TestMentions:
    async def test_a_post_notifies_mentioned_users(self, ada: Browser, bob: Browser) -> None:
        post = await write_post(bob, "@Ada @ada and @bob")

        (group,) = await list_groups(ada)

        assert (group["type"], group["post_id"], group["comment_id"]) == ("mention", post, None)
        assert await list_groups(bob) == []

    async def test_a_mention_does_not_notify_a_user_who_has_blocked_the_author(
        self, ada: Browser, bob: Browser, connection: AsyncConnection
    ) -> None:
        await make_block(connection, ada.id, bob.id)
        await write_post(bob, "@ada @noise_1")
        await ada.delete("/users/bob/block")

        assert await list_groups(ada) == []

    async def test_notifications_of_a_muted_actor_appear_after_unmuting(
        self, ada: Browser, bob: Browser, connection: AsyncConnection
    ) -> None:
        await make_mute(connection, ada.id, bob.id)
        await write_post(bob, "@ada")
        assert await list_groups(ada) == []

        await ada.delete("/users/bob/mute")

        assert await group_types(ada) == ["mention"]

    async def test_at_most_20_mentioned_users_are_notified(
        self, ada: Browser, member: Member, connection: AsyncConnection
    ) -> None:
        names = [f"person_{number}" for number in range(20)]
        for name in names:
            await make_user(connection, name)
        last = await member("last")
        await write_post(ada, " ".join(f"@{name}" for name in [*names, "last"]))

        assert await list_groups(last) == []

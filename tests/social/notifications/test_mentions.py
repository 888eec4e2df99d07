"""Which usernames in a text are mentions, and what becomes of them when the text is edited."""

import time
from collections.abc import Awaitable, Callable

import pytest
from tests.conftest import Member
from tests.social.notifications.test_recipients import (
    group_types,
    list_groups,
    write_comment,
    write_post,
)
from tests.support.browser import Browser

from wxc.social.notifications.mentions import mentioned_usernames

Write = Callable[[Browser, str], Awaitable[str]]

NO_MENTIONS = [
    "see https://example.org/@ada for more",
    "see https://example.org/users?name=@ada&x=1",
    "see HTTPS://example.org/a,(@ada)",
    "see ftp://ftp.example.org/@ada/x",
    "[her page](https://example.org/@ada)",
    "www.example.org/@ada",
    "example.org/@ada",
    "пример.рф/@ada",
    "example.org:8080/a/@ada",
    "example.org?u=@ada",
    "mailto:bob@example.org?cc=@ada",
    "bob@ada.example",
    "bob+@ada.example",
    '"bob"@ada.example',
    "@ada@example.org",
    "@bob.smith@ada",
    "@ada.bsky.social",
    "@ada:matrix.example.org",
    "@@ada",
    "é@ada",
    "ж@ada",
    "好@ada",
    "٣@ada",
    "²@ada",
    "_@ada",
    "-@ada",
    "\u2010@ada",
    "\uff0d@ada",
    "क\u093f@ada",  # a spacing combining mark
    "x\u0336@ada",  # a non-spacing one
    "1\u20dd@ada",  # an enclosing one
    "@adaé",
    "@adaж",
    "@ada好",
    "@ada٣",
    "@ada-lovelace",
    "@ada\u2011lovelace",
    "@ada\u0336",
    "@ada\u093f",
    "@ada\u20dd",
]
MENTIONS = [
    "@ada",
    "hello @Ada, are you there?",
    "(@ada)",
    "“@ada”",
    "@ada: look",
    "@ada.",
    "end.@ada",
    "@ada's and @ada\u2019s",
    "@bob/@ada",
    "wait\u2014@ada",
    "@ada…",
    "*@ada*",
    "👋@ada",
    "你好\uff0c@ada。",
    "https://example.org/@bob @ada",
    "<https://example.org/@bob>@ada",
]


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def bob(member: Member) -> Browser:
    return await member("bob")


@pytest.fixture
async def kim(member: Member) -> Browser:
    return await member("kim")


@pytest.fixture(params=["post", "comment"])
async def write(request: pytest.FixtureRequest, kim: Browser) -> Write:
    """Writes a post, or a comment on a post by Kim; returns the path of what was written."""
    post = await write_post(kim)

    async def write(browser: Browser, body: str) -> str:
        if request.param == "post":
            return f"/posts/{await write_post(browser, body)}"
        return f"/comments/{await write_comment(browser, post, body)}"

    return write


async def edit(browser: Browser, path: str, body: str) -> None:
    answer = await browser.put(path, json={"body": body})
    assert answer.status_code == 200, answer.text


class TestText:
    async def test_a_username_inside_something_else_is_no_mention(
        self, ada: Browser, bob: Browser, write: Write
    ) -> None:
        notified = []
        for body in NO_MENTIONS:
            before = len(await list_groups(ada))
            path = await write(bob, body)
            if len(await list_groups(ada)) != before:
                notified.append(body)
            await bob.delete(path)

        assert notified == []

    async def test_a_username_that_stands_by_itself_is_a_mention(
        self, ada: Browser, bob: Browser, write: Write
    ) -> None:
        unnoticed = []
        for body in MENTIONS:
            path = await write(bob, body)
            if await group_types(ada) != ["mention"]:
                unnoticed.append(body)
            await bob.delete(path)

        assert unnoticed == []

    @pytest.mark.parametrize(
        "body", ["a" * 5000, "a." * 2500, "@a" * 2500, "-" * 5000, "a.b:1" * 1000, "://" * 1600]
    )
    async def test_finding_mentions_takes_linear_time(self, bob: Browser, body: str) -> None:
        started_at = time.perf_counter()
        for _ in range(5):
            mentioned_usernames(body)

        assert time.perf_counter() - started_at < 0.25


class TestEdits:
    async def test_a_mention_that_is_edited_out_takes_its_notification_along(
        self, ada: Browser, bob: Browser, write: Write
    ) -> None:
        path = await write(bob, "hello @ada")
        assert await group_types(ada) == ["mention"]

        await edit(bob, path, "hello")

        assert await list_groups(ada) == []
        assert (await ada.get("/notifications")).json()["unread_count"] == 0

    async def test_a_mention_that_stays_keeps_its_notification(
        self, ada: Browser, bob: Browser, write: Write
    ) -> None:
        path = await write(bob, "hello @ada")
        before = await list_groups(ada)

        await edit(bob, path, "goodbye @ADA and @nobody_at_all")

        assert await list_groups(ada) == before

    async def test_a_mention_that_is_edited_in_notifies(
        self, ada: Browser, bob: Browser, write: Write
    ) -> None:
        path = await write(bob, "hello @kim_2")

        await edit(bob, path, "hello @ada")

        assert await group_types(ada) == ["mention"]

    async def test_editing_a_mention_out_and_in_again_does_not_notify_twice(
        self, ada: Browser, bob: Browser, write: Write
    ) -> None:
        path = await write(bob, "hello @ada")
        (before,) = await list_groups(ada)
        await ada.post("/notifications/read", json={"up_to": before["id"]})

        await edit(bob, path, "hello")
        await edit(bob, path, "hello @ada, hello")

        assert await list_groups(ada) == [before | {"unread": False}]

    async def test_an_edit_does_not_mention_a_renamed_user_again(
        self, ada: Browser, bob: Browser, write: Write
    ) -> None:
        path = await write(bob, "hello @ada")
        change = {"username": "adele", "current_password": "correct horse battery"}
        assert (await ada.put("/settings/username", json=change)).status_code == 200
        assert await group_types(ada) == ["mention"]

        await edit(bob, path, "hello @adele")
        assert await group_types(ada) == ["mention"]
        await edit(bob, path, "hello")

        assert await list_groups(ada) == []

    async def test_an_edit_of_one_text_leaves_the_mentions_of_others(
        self, ada: Browser, bob: Browser, kim: Browser, write: Write
    ) -> None:
        path = await write(bob, "hello @ada")
        for writer in (bob, kim):
            await write(writer, "you too, @ada")

        await edit(bob, path, "hello")

        assert await group_types(ada) == ["mention"] * 2

    async def test_one_notification_per_comment_and_recipient_also_after_edits(
        self, ada: Browser, bob: Browser
    ) -> None:
        post = await write_post(ada)
        comment = f"/comments/{await write_comment(bob, post, 'hello')}"
        assert await group_types(ada) == ["post_comment"]

        await edit(bob, comment, "hello @ada")
        assert await group_types(ada) == ["post_comment"]
        await edit(bob, comment, "hello again")
        assert await group_types(ada) == ["post_comment"]

    async def test_the_author_of_the_post_still_hears_of_a_comment_without_its_mention(
        self, ada: Browser, bob: Browser
    ) -> None:
        post = await write_post(ada)
        comment = f"/comments/{await write_comment(bob, post, 'hello @ada')}"
        assert await group_types(ada) == ["mention"]

        await edit(bob, comment, "hello")

        assert await group_types(ada) == ["post_comment"]

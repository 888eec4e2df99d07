from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.social.comments.conftest import UNKNOWN_ID, ThreadScene, add_tombstone
from tests.support.browser import Browser
from tests.support.factories import (
    make_block,
    make_comment,
    make_comment_like,
    make_post,
    make_user,
)

from wxc.models import Comment


class TestWrite:
    async def test_a_comment_is_published_and_counted(self, thread: ThreadScene) -> None:
        answer = await thread.ada.post(thread.path, json={"body": "cafe\u0301"})

        assert answer.status_code == 201
        comment = answer.json()
        assert answer.headers["location"] == f"/comments/{comment['id']}"
        assert comment["author"]["username"] == "ada"
        assert (comment["body"], comment["depth"], comment["deleted"]) == ("caf\u00e9", 0, False)
        assert (comment["post_id"], comment["parent_id"]) == (str(thread.post_id), None)
        assert (comment["likes_count"], comment["replies_count"]) == (0, 0)
        assert (comment["viewer"], comment["replies_cursor"]) == ({"liked": False}, None)
        assert (await thread.ada.get(answer.headers["location"])).json() == comment
        assert await thread.list_items() == [comment]
        assert await thread.comments_count() == 1

    async def test_a_reply_is_one_level_deeper_and_counted_by_its_parent(
        self, thread: ThreadScene
    ) -> None:
        top = await thread.add_comment()
        body = {"body": "hello", "parent_id": str(top)}

        answer = await thread.ada.post(f"/posts/{thread.post_id}/comments", json=body)

        reply = answer.json()
        assert (reply["parent_id"], reply["depth"]) == (str(top), 1)
        parent = (await thread.ada.get(f"/comments/{top}")).json()
        assert parent["replies_count"] == 1
        replies = await thread.ada.get(f"/comments/{top}/replies?cursor={parent['replies_cursor']}")
        assert replies.json()["items"] == [reply]

    @pytest.mark.parametrize("body", ["", " \n", "\u200b", "a" * 2001, None, 7])
    async def test_an_empty_or_too_long_body_is_refused(
        self, thread: ThreadScene, body: object
    ) -> None:
        answer = await thread.ada.post(thread.path, json={"body": body})

        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert answer.json()["errors"][0]["pointer"] == "/body"
        assert await thread.comments_count() == 0

    async def test_an_unknown_or_invisible_parent_is_refused_with_a_pointer(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        eve = await make_user(connection)
        elsewhere = await make_comment(connection, eve, await make_post(connection, eve))
        hidden = await thread.add_comment(author=eve)
        below = await thread.add_comment(hidden)
        await make_block(connection, eve, thread.ada.id)

        for parent in (UNKNOWN_ID, elsewhere, hidden, below):
            answer = await thread.ada.post(
                thread.path, json={"body": "x", "parent_id": str(parent)}
            )

            assert (answer.status_code, answer.json()["code"]) == (422, "parent_not_found")
            assert [part["pointer"] for part in answer.json()["errors"]] == ["/parent_id"]
        assert await thread.comments_count() == 2

    async def test_cannot_reply_below_depth_50(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        chain = await thread.add_reply_chain(51)
        *_, above, deepest = chain

        answer = await thread.ada.post(thread.path, json={"body": "x", "parent_id": str(deepest)})
        sibling = await thread.ada.post(thread.path, json={"body": "x", "parent_id": str(above)})

        assert (answer.status_code, answer.json()["code"]) == (422, "thread_too_deep")
        assert answer.json()["errors"][0]["pointer"] == "/parent_id"
        assert sibling.json()["depth"] == 50
        assert (await thread.ada.get(f"/comments/{deepest}")).json()["depth"] == 50
        await make_block(connection, await _author_of(connection, chain[0]), thread.ada.id)
        assert (await thread.ada.get(f"/comments/{deepest}")).status_code == 404

    async def test_cannot_reply_to_a_tombstone(self, thread: ThreadScene) -> None:
        top = await add_tombstone(thread)

        answer = await thread.ada.post(thread.path, json={"body": "x", "parent_id": str(top)})

        assert (answer.status_code, answer.json()["code"]) == (409, "comment_deleted")

    async def test_cannot_comment_on_posts_of_or_reply_to_a_blocked_user(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        eve = await make_user(connection)
        reply_to = str(await thread.add_comment(author=eve))
        await make_block(connection, thread.ada.id, eve)

        reply = await thread.ada.post(thread.path, json={"body": "x", "parent_id": reply_to})
        await make_block(connection, thread.ada.id, thread.bob)
        comment = await thread.ada.post(thread.path, json={"body": "x"})

        for answer in (reply, comment):
            assert (answer.status_code, answer.json()["code"]) == (403, "blocked_by_you")

    async def test_commenting_on_an_invisible_post_is_not_found(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        await make_block(connection, thread.bob, thread.ada.id)

        for path in (thread.path, f"/posts/{UNKNOWN_ID}/comments"):
            answer = await thread.ada.post(path, json={"body": "x"})
            assert (answer.status_code, answer.json()["code"]) == (404, "post_not_found")


class TestRead:
    async def test_anonymous_users_can_read_a_comment(
        self, thread: ThreadScene, stranger: Browser
    ) -> None:
        comment = await thread.add_comment()

        answer = await stranger.get(f"/comments/{comment}")

        assert (answer.status_code, answer.json()["viewer"]) == (200, None)
        assert (await stranger.get(f"/comments/{UNKNOWN_ID}")).json()["code"] == "comment_not_found"

    async def test_comments_show_whether_the_viewer_likes_them(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        liked, other = await thread.add_comment(), await thread.add_comment()
        await make_comment_like(connection, thread.ada.id, liked)
        await make_comment_like(connection, thread.bob, other)

        items = await thread.list_items()

        assert [item["viewer"]["liked"] for item in items] == [True, False]
        assert (await thread.ada.get(f"/comments/{liked}")).json() == items[0]


async def _author_of(connection: AsyncConnection, comment_id: UUID) -> UUID:
    found = await connection.scalar(select(Comment.author_id).where(Comment.id == comment_id))
    assert found is not None
    return found

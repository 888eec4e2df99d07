from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.social.comments.conftest import UNKNOWN_ID, ThreadScene, add_tombstone
from tests.support.database import SingleConnectionDatabase
from tests.support.factories import (
    make_block,
    make_comment,
    make_comment_like,
    make_post,
    make_user,
)

from wxc.core import clock
from wxc.models import Comment, CommentLike
from wxc.social.comments.service.writing import delete_comments_of


async def stored_row(connection: AsyncConnection, comment_id: UUID) -> tuple[object, ...] | None:
    """`(author_id, body, likes_count)`; None if there is no row."""
    columns = (Comment.author_id, Comment.body, Comment.likes_count)
    row = (await connection.execute(select(*columns).where(Comment.id == comment_id))).one_or_none()
    return row and tuple(row)


class TestChange:
    async def test_the_author_can_replace_the_body(self, thread: ThreadScene) -> None:
        comment = await thread.add_comment(author=thread.ada.id)

        answer = await thread.ada.put(f"/comments/{comment}", json={"body": "better"})

        assert answer.status_code == 200
        assert answer.json()["body"] == "better"
        assert answer.json()["edited_at"] is not None
        assert (await thread.ada.get(f"/comments/{comment}")).json() == answer.json()

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    async def test_cannot_edit_or_delete_a_comment_of_another_user(
        self, thread: ThreadScene, connection: AsyncConnection, method: str
    ) -> None:
        comment = await thread.add_comment()
        body = {"json": {"body": "mine"}} if method == "PUT" else {}

        answer = await thread.ada.request(method, f"/comments/{comment}", **body)

        assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
        assert await stored_row(connection, comment) == (thread.bob, "hello", 0)

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    @pytest.mark.parametrize("direction", ["blocker", "blocked", "ancestor"])
    async def test_editing_or_deleting_an_invisible_comment_is_not_found(
        self, thread: ThreadScene, connection: AsyncConnection, method: str, direction: str
    ) -> None:
        eve = await make_user(connection)
        hidden = await thread.add_comment(author=eve)
        if direction == "ancestor":
            hidden = await thread.add_comment(hidden, thread.ada.id)
        await make_block(
            connection, *((thread.ada.id, eve) if direction == "blocker" else (eve, thread.ada.id))
        )
        body = {"json": {"body": "mine"}} if method == "PUT" else {}

        for comment in (hidden, UNKNOWN_ID):
            answer = await thread.ada.request(method, f"/comments/{comment}", **body)
            assert (answer.status_code, answer.json()["code"]) == (404, "comment_not_found")

    async def test_the_author_of_a_post_can_delete_but_not_edit_comments_of_others(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        post = await make_post(connection, ada.id)
        comment = await make_comment(connection, await make_user(connection), post)

        changed = await ada.put(f"/comments/{comment}", json={"body": "mine"})
        deleted = await ada.delete(f"/comments/{comment}")

        assert (changed.status_code, changed.json()["code"]) == (403, "not_owner")
        assert deleted.status_code == 204
        assert (await ada.get(f"/posts/{post}")).json()["comments_count"] == 0

    @pytest.mark.parametrize("direction", ["blocker", "blocked"])
    async def test_the_author_of_a_post_can_delete_comments_regardless_of_blocks(
        self, member: Member, connection: AsyncConnection, direction: str
    ) -> None:
        ada, eve = await member("ada"), await make_user(connection, "eve")
        post = await make_post(connection, ada.id)
        comment = await make_comment(connection, eve, post)
        reply = await make_comment(connection, await make_user(connection), post, comment)
        await make_block(connection, *((ada.id, eve) if direction == "blocker" else (eve, ada.id)))

        answers = [await ada.delete(f"/comments/{each}") for each in (reply, comment, comment)]

        assert [answer.status_code for answer in answers] == [204, 204, 404]
        assert (await ada.get(f"/posts/{post}")).json()["comments_count"] == 0


class TestDelete:
    async def test_deleting_a_comment_without_replies_deletes_its_row(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        top = await thread.add_comment()
        comment = await thread.add_comment(top, thread.ada.id)
        await make_comment_like(connection, thread.bob, comment)

        assert (await thread.ada.delete(f"/comments/{comment}")).status_code == 204
        assert (await thread.ada.delete(f"/comments/{comment}")).status_code == 404
        assert (await thread.ada.get(f"/comments/{comment}")).status_code == 404
        assert await stored_row(connection, comment) is None
        assert await thread.comments_count() == 1
        assert (await thread.ada.get(f"/comments/{top}")).json()["replies_count"] == 0

    async def test_deleting_a_comment_with_replies_leaves_a_tombstone(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        comment = await thread.add_comment(author=thread.ada.id)
        reply = await thread.add_comment(comment)
        await make_comment_like(connection, thread.bob, comment)

        assert (await thread.ada.delete(f"/comments/{comment}")).status_code == 204

        answer = await thread.ada.get(f"/comments/{comment}")
        assert answer.status_code == 200
        tombstone = answer.json()
        assert (tombstone["deleted"], tombstone["author"], tombstone["body"]) == (True, None, None)
        assert (tombstone["likes_count"], tombstone["replies_count"]) == (0, 1)
        assert await stored_row(connection, comment) == (None, None, 0)
        likes = select(func.count()).where(CommentLike.comment_id == comment)
        assert await connection.scalar(likes) == 0
        assert [item["id"] for item in await thread.list_items()] == [str(comment), str(reply)]
        assert await thread.comments_count() == 1

    async def test_a_tombstone_cannot_be_changed_deleted_or_liked(
        self, thread: ThreadScene
    ) -> None:
        top = await add_tombstone(thread)

        changed = await thread.ada.put(f"/comments/{top}", json={"body": "x"})
        assert (changed.status_code, changed.json()["code"]) == (409, "comment_deleted")
        for method, path in (("DELETE", ""), ("POST", "/like"), ("DELETE", "/like")):
            answer = await thread.ada.request(method, f"/comments/{top}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "comment_not_found")

    async def test_deleting_the_last_reply_deletes_the_tombstones_above_it(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        top = await thread.add_comment()
        first = await thread.add_comment(top, thread.ada.id)
        second = await thread.add_comment(first, thread.ada.id)
        sibling = await thread.add_comment(first, thread.ada.id)
        last = await thread.add_comment(second, thread.ada.id)
        for comment in (first, second):
            await thread.ada.delete(f"/comments/{comment}")

        await thread.ada.delete(f"/comments/{last}")
        assert await stored_row(connection, second) is None
        assert await stored_row(connection, first) is not None
        await thread.ada.delete(f"/comments/{sibling}")

        assert [item["id"] for item in await thread.list_items()] == [str(top)]
        row = select(Comment.replies_count, Comment.children_count).where(Comment.id == top)
        assert tuple((await connection.execute(row)).one()) == (0, 0)
        assert await thread.comments_count() == 1

    async def test_deleting_a_post_deletes_its_thread(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        post = await make_post(connection, ada.id)
        top = await make_comment(connection, ada.id, post)
        reply = await make_comment(connection, ada.id, post, top)
        await make_comment_like(connection, ada.id, reply)

        assert (await ada.delete(f"/posts/{post}")).status_code == 204

        for path in (f"/comments/{top}", f"/comments/{reply}", f"/posts/{post}/comments"):
            assert (await ada.get(path)).status_code == 404


async def test_comments_of_a_deleted_account_are_deleted_in_batches(
    thread: ThreadScene, connection: AsyncConnection
) -> None:
    eve = await make_user(connection, suspended_at=clock.now())
    top = await thread.add_comment(author=eve)
    reply = await thread.add_comment(top)
    childless = await thread.add_comment(await thread.add_comment(author=eve), eve)
    lowest = await thread.add_comment(reply, eve)

    rounds = 0
    while True:
        async with SingleConnectionDatabase(connection).transaction() as session:
            if not await delete_comments_of(session, eve, limit=2):
                break
        rounds += 1

    assert rounds == 2
    assert await stored_row(connection, top) == (None, None, 0)
    for deleted in (childless, lowest):
        assert await stored_row(connection, deleted) is None
    assert [item["id"] for item in await thread.list_items()] == [str(top), str(reply)]
    assert (await thread.ada.get(f"/comments/{reply}")).json()["replies_count"] == 0
    assert await thread.comments_count() == 1


class TestLike:
    async def test_liking_and_unliking_are_idempotent(self, thread: ThreadScene) -> None:
        comment = await thread.add_comment()

        for _ in range(2):
            answer = await thread.ada.post(f"/comments/{comment}/like")
            assert (answer.status_code, answer.json()) == (200, {"liked": True, "likes_count": 1})
        for _ in range(2):
            answer = await thread.ada.delete(f"/comments/{comment}/like")
            assert (answer.status_code, answer.json()) == (200, {"liked": False, "likes_count": 0})

        assert (await thread.ada.get(f"/comments/{comment}")).json()["likes_count"] == 0

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    @pytest.mark.parametrize(
        ("why", "status", "code"),
        [
            ("blocker", 403, "blocked_by_you"),
            ("blocked", 404, "comment_not_found"),
            ("ancestor", 404, "comment_not_found"),
            ("suspended", 404, "comment_not_found"),
            ("invisible_post", 404, "comment_not_found"),
        ],
    )
    async def test_cannot_like_an_invisible_comment(
        self,
        thread: ThreadScene,
        connection: AsyncConnection,
        method: str,
        why: str,
        status: int,
        code: str,
    ) -> None:
        eve = await make_user(connection, suspended_at=clock.now() if why == "suspended" else None)
        comment = await thread.add_comment(author=eve)
        if why == "ancestor":
            comment = await thread.add_comment(comment)
        pairs = {"blocker": (thread.ada.id, eve), "invisible_post": (thread.bob, thread.ada.id)}
        await make_block(connection, *pairs.get(why, (eve, thread.ada.id)))

        answer = await thread.ada.request(method, f"/comments/{comment}/like")

        assert (answer.status_code, answer.json()["code"]) == (status, code)

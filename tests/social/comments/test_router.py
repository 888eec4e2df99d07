from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.social.comments.conftest import UNKNOWN, Talk
from tests.support.browser import Browser
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
from wxc.social.comments.service.writing import erase_comments_of


async def stored(connection: AsyncConnection, comment_id: UUID) -> tuple[object, ...] | None:
    """`(author_id, body, likes_count)` of the row, if there is one."""
    columns = (Comment.author_id, Comment.body, Comment.likes_count)
    row = (await connection.execute(select(*columns).where(Comment.id == comment_id))).one_or_none()
    return row and tuple(row)


class TestWrite:
    async def test_a_comment_is_published_and_counted(self, talk: Talk) -> None:
        answer = await talk.ada.post(talk.path, json={"body": "cafe\u0301"})

        assert answer.status_code == 201
        comment = answer.json()
        assert answer.headers["location"] == f"/comments/{comment['id']}"
        assert comment["author"]["username"] == "ada"
        assert (comment["body"], comment["depth"], comment["deleted"]) == ("caf\u00e9", 0, False)
        assert (comment["post_id"], comment["parent_id"]) == (str(talk.post_id), None)
        assert (comment["likes_count"], comment["replies_count"]) == (0, 0)
        assert (comment["viewer"], comment["replies_cursor"]) == ({"liked": False}, None)
        assert (await talk.ada.get(answer.headers["location"])).json() == comment
        assert await talk.listed() == [comment]
        assert await talk.count() == 1

    async def test_a_reply_is_one_deeper_and_counted_by_its_parent(self, talk: Talk) -> None:
        top = await talk.say()
        body = {"body": "hello", "parent_id": str(top)}

        answer = await talk.ada.post(f"/posts/{talk.post_id}/comments", json=body)

        reply = answer.json()
        assert (reply["parent_id"], reply["depth"]) == (str(top), 1)
        parent = (await talk.ada.get(f"/comments/{top}")).json()
        assert parent["replies_count"] == 1
        rest = await talk.ada.get(f"/comments/{top}/replies?cursor={parent['replies_cursor']}")
        assert rest.json()["items"] == [reply]

    @pytest.mark.parametrize("body", ["", " \n", "\u200b", "a" * 2001, None, 7])
    async def test_what_is_no_text_or_too_much_is_refused(self, talk: Talk, body: object) -> None:
        answer = await talk.ada.post(talk.path, json={"body": body})

        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert answer.json()["errors"][0]["pointer"] == "/body"
        assert await talk.count() == 0

    async def test_a_parent_that_is_not_there_is_pointed_at(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        eve = await make_user(connection)
        elsewhere = await make_comment(connection, eve, await make_post(connection, eve))
        hidden = await talk.say(author=eve)
        below = await talk.say(hidden)
        await make_block(connection, eve, talk.ada.id)

        for parent in (UNKNOWN, elsewhere, hidden, below):
            answer = await talk.ada.post(talk.path, json={"body": "x", "parent_id": str(parent)})

            assert (answer.status_code, answer.json()["code"]) == (422, "parent_not_found")
            assert [part["pointer"] for part in answer.json()["errors"]] == ["/parent_id"]
        assert await talk.count() == 2

    async def test_nobody_replies_below_depth_50(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        chain = await talk.chain(51)
        *_, above, deepest = chain

        answer = await talk.ada.post(talk.path, json={"body": "x", "parent_id": str(deepest)})
        beside = await talk.ada.post(talk.path, json={"body": "x", "parent_id": str(above)})

        assert (answer.status_code, answer.json()["code"]) == (422, "thread_too_deep")
        assert answer.json()["errors"][0]["pointer"] == "/parent_id"
        assert beside.json()["depth"] == 50
        assert (await talk.ada.get(f"/comments/{deepest}")).json()["depth"] == 50
        await make_block(connection, await _author(connection, chain[0]), talk.ada.id)
        assert (await talk.ada.get(f"/comments/{deepest}")).status_code == 404

    async def test_a_tombstone_is_not_replied_to(self, talk: Talk) -> None:
        top = await _tombstone(talk)

        answer = await talk.ada.post(talk.path, json={"body": "x", "parent_id": str(top)})

        assert (answer.status_code, answer.json()["code"]) == (409, "comment_deleted")

    async def test_whom_i_have_blocked_i_do_not_talk_to(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        eve = await make_user(connection)
        reply_to = str(await talk.say(author=eve))
        await make_block(connection, talk.ada.id, eve)

        reply = await talk.ada.post(talk.path, json={"body": "x", "parent_id": reply_to})
        await make_block(connection, talk.ada.id, talk.bob)
        comment = await talk.ada.post(talk.path, json={"body": "x"})

        for answer in (reply, comment):
            assert (answer.status_code, answer.json()["code"]) == (403, "blocked_by_you")

    async def test_an_invisible_post_is_unknown(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        await make_block(connection, talk.bob, talk.ada.id)

        for path in (talk.path, f"/posts/{UNKNOWN}/comments"):
            answer = await talk.ada.post(path, json={"body": "x"})
            assert (answer.status_code, answer.json()["code"]) == (404, "post_not_found")


class TestRead:
    async def test_anybody_reads_a_comment(self, talk: Talk, stranger: Browser) -> None:
        comment = await talk.say()

        answer = await stranger.get(f"/comments/{comment}")

        assert (answer.status_code, answer.json()["viewer"]) == (200, None)
        assert (await stranger.get(f"/comments/{UNKNOWN}")).json()["code"] == "comment_not_found"

    async def test_a_viewer_sees_what_they_like(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        liked, other = await talk.say(), await talk.say()
        await make_comment_like(connection, talk.ada.id, liked)
        await make_comment_like(connection, talk.bob, other)

        items = await talk.listed()

        assert [item["viewer"]["liked"] for item in items] == [True, False]
        assert (await talk.ada.get(f"/comments/{liked}")).json() == items[0]


class TestChange:
    async def test_the_author_puts_another_body_in_place(self, talk: Talk) -> None:
        comment = await talk.say(author=talk.ada.id)

        answer = await talk.ada.put(f"/comments/{comment}", json={"body": "better"})

        assert answer.status_code == 200
        assert answer.json()["body"] == "better"
        assert answer.json()["edited_at"] is not None
        assert (await talk.ada.get(f"/comments/{comment}")).json() == answer.json()

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    async def test_somebody_elses_comment_is_not_mine_to_change(
        self, talk: Talk, connection: AsyncConnection, method: str
    ) -> None:
        comment = await talk.say()
        body = {"json": {"body": "mine"}} if method == "PUT" else {}

        answer = await talk.ada.request(method, f"/comments/{comment}", **body)

        assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
        assert await stored(connection, comment) == (talk.bob, "hello", 0)

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    @pytest.mark.parametrize("direction", ["blocker", "blocked", "above"])
    async def test_an_invisible_comment_is_unknown(
        self, talk: Talk, connection: AsyncConnection, method: str, direction: str
    ) -> None:
        eve = await make_user(connection)
        hidden = await talk.say(author=eve)
        if direction == "above":
            hidden = await talk.say(hidden, talk.ada.id)
        await make_block(
            connection, *((talk.ada.id, eve) if direction == "blocker" else (eve, talk.ada.id))
        )
        body = {"json": {"body": "mine"}} if method == "PUT" else {}

        for comment in (hidden, UNKNOWN):
            answer = await talk.ada.request(method, f"/comments/{comment}", **body)
            assert (answer.status_code, answer.json()["code"]) == (404, "comment_not_found")

    async def test_a_posts_author_deletes_any_comment_under_it_and_changes_none(
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
    async def test_a_posts_author_clears_it_also_of_who_is_hidden_from_them(
        self, member: Member, connection: AsyncConnection, direction: str
    ) -> None:
        ada, eve = await member("ada"), await make_user(connection, "eve")
        post = await make_post(connection, ada.id)
        comment = await make_comment(connection, eve, post)
        reply = await make_comment(connection, await make_user(connection), post, comment)
        await make_block(connection, *((ada.id, eve) if direction == "blocker" else (eve, ada.id)))

        answers = [await ada.delete(f"/comments/{one}") for one in (reply, comment, comment)]

        assert [answer.status_code for answer in answers] == [204, 204, 404]
        assert (await ada.get(f"/posts/{post}")).json()["comments_count"] == 0


class TestDelete:
    async def test_a_comment_without_replies_goes_once(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        top = await talk.say()
        comment = await talk.say(top, talk.ada.id)
        await make_comment_like(connection, talk.bob, comment)

        assert (await talk.ada.delete(f"/comments/{comment}")).status_code == 204
        assert (await talk.ada.delete(f"/comments/{comment}")).status_code == 404
        assert (await talk.ada.get(f"/comments/{comment}")).status_code == 404
        assert await stored(connection, comment) is None
        assert await talk.count() == 1
        assert (await talk.ada.get(f"/comments/{top}")).json()["replies_count"] == 0

    async def test_one_with_replies_leaves_a_tombstone_without_a_word(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        comment = await talk.say(author=talk.ada.id)
        reply = await talk.say(comment)
        await make_comment_like(connection, talk.bob, comment)

        assert (await talk.ada.delete(f"/comments/{comment}")).status_code == 204

        answer = await talk.ada.get(f"/comments/{comment}")
        assert answer.status_code == 200
        tombstone = answer.json()
        assert (tombstone["deleted"], tombstone["author"], tombstone["body"]) == (True, None, None)
        assert (tombstone["likes_count"], tombstone["replies_count"]) == (0, 1)
        assert await stored(connection, comment) == (None, None, 0)
        likes = select(func.count()).where(CommentLike.comment_id == comment)
        assert await connection.scalar(likes) == 0
        assert [item["id"] for item in await talk.listed()] == [str(comment), str(reply)]
        assert await talk.count() == 1

    async def test_a_tombstone_cannot_be_changed_deleted_or_liked(self, talk: Talk) -> None:
        top = await _tombstone(talk)

        changed = await talk.ada.put(f"/comments/{top}", json={"body": "x"})
        assert (changed.status_code, changed.json()["code"]) == (409, "comment_deleted")
        for method, path in (("DELETE", ""), ("POST", "/like"), ("DELETE", "/like")):
            answer = await talk.ada.request(method, f"/comments/{top}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "comment_not_found")

    async def test_the_last_reply_takes_the_tombstones_above_along(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        top = await talk.say()
        first = await talk.say(top, talk.ada.id)
        second = await talk.say(first, talk.ada.id)
        beside = await talk.say(first, talk.ada.id)
        last = await talk.say(second, talk.ada.id)
        for one in (first, second):
            await talk.ada.delete(f"/comments/{one}")

        await talk.ada.delete(f"/comments/{last}")
        assert await stored(connection, second) is None
        assert await stored(connection, first) is not None
        await talk.ada.delete(f"/comments/{beside}")

        assert [item["id"] for item in await talk.listed()] == [str(top)]
        row = select(Comment.replies_count, Comment.children_count).where(Comment.id == top)
        assert tuple((await connection.execute(row)).one()) == (0, 0)
        assert await talk.count() == 1

    async def test_deleting_a_post_removes_its_thread(
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


async def test_the_comments_of_an_account_that_goes_are_deleted_batch_by_batch(
    talk: Talk, connection: AsyncConnection
) -> None:
    eve = await make_user(connection, suspended_at=clock.now())
    top = await talk.say(author=eve)
    kept = await talk.say(top)
    alone = await talk.say(await talk.say(author=eve), eve)
    below = await talk.say(kept, eve)

    rounds = 0
    while True:
        async with SingleConnectionDatabase(connection).transaction() as session:
            if not await erase_comments_of(session, eve, most=2):
                break
        rounds += 1

    assert rounds == 2
    assert await stored(connection, top) == (None, None, 0)
    for gone in (alone, below):
        assert await stored(connection, gone) is None
    assert [item["id"] for item in await talk.listed()] == [str(top), str(kept)]
    assert (await talk.ada.get(f"/comments/{kept}")).json()["replies_count"] == 0
    assert await talk.count() == 1


class TestLike:
    async def test_liking_counts_once_and_unliking_takes_it_back(self, talk: Talk) -> None:
        comment = await talk.say()

        for _ in range(2):
            answer = await talk.ada.post(f"/comments/{comment}/like")
            assert (answer.status_code, answer.json()) == (200, {"liked": True, "likes_count": 1})
        for _ in range(2):
            answer = await talk.ada.delete(f"/comments/{comment}/like")
            assert (answer.status_code, answer.json()) == (200, {"liked": False, "likes_count": 0})

        assert (await talk.ada.get(f"/comments/{comment}")).json()["likes_count"] == 0

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    @pytest.mark.parametrize(
        ("why", "status", "code"),
        [
            ("blocker", 403, "blocked_by_you"),
            ("blocked", 404, "comment_not_found"),
            ("above", 404, "comment_not_found"),
            ("suspended", 404, "comment_not_found"),
            ("post", 404, "comment_not_found"),
        ],
    )
    async def test_what_is_not_there_for_me_i_cannot_like(
        self,
        talk: Talk,
        connection: AsyncConnection,
        method: str,
        why: str,
        status: int,
        code: str,
    ) -> None:
        eve = await make_user(connection, suspended_at=clock.now() if why == "suspended" else None)
        comment = await talk.say(author=eve)
        if why == "above":
            comment = await talk.say(comment)
        pairs = {"blocker": (talk.ada.id, eve), "post": (talk.bob, talk.ada.id)}
        await make_block(connection, *pairs.get(why, (eve, talk.ada.id)))

        answer = await talk.ada.request(method, f"/comments/{comment}/like")

        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def _tombstone(talk: Talk) -> UUID:
    comment = await talk.say(author=talk.ada.id)
    await talk.say(comment)
    await talk.ada.delete(f"/comments/{comment}")
    return comment


async def _author(connection: AsyncConnection, comment_id: UUID) -> UUID:
    found = await connection.scalar(select(Comment.author_id).where(Comment.id == comment_id))
    assert found is not None
    return found

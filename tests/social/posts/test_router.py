from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_block, make_like, make_post, make_user

from wxc.core import clock
from wxc.core.ids import new_id
from wxc.models import Post

UNKNOWN = UUID("01900000-0000-7000-8000-000000000000")


class TestWrite:
    async def test_a_post_is_published_and_counted(self, member: Member) -> None:
        ada = await member("ada")

        answer = await ada.post("/posts", json={"body": "hello, world"})

        assert answer.status_code == 201
        post = answer.json()
        assert answer.headers["location"] == f"/posts/{post['id']}"
        assert post["author"]["username"] == "ada"
        assert (post["likes_count"], post["comments_count"]) == (0, 0)
        assert (post["edited_at"], post["viewer"]) == (None, {"liked": False})
        assert (await ada.get(answer.headers["location"])).json() == post
        assert (await ada.get("/users/ada")).json()["posts_count"] == 1

    async def test_the_body_is_stored_in_nfc_and_otherwise_unchanged(self, member: Member) -> None:
        ada = await member("ada")

        answer = await ada.post("/posts", json={"body": " cafe\u0301\n\tau lait "})

        assert answer.json()["body"] == " caf\u00e9\n\tau lait "

    @pytest.mark.parametrize("length", [1, 5000])
    async def test_body_length_is_counted_in_code_points_after_normalisation(
        self, member: Member, length: int
    ) -> None:
        ada = await member("ada")

        assert (await ada.post("/posts", json={"body": "e\u0301" * length})).status_code == 201

    @pytest.mark.parametrize("body", ["", " \n", "\u200b\u2060", "a" * 5001, None, 7, ["a"]])
    async def test_an_empty_or_too_long_body_is_refused(self, member: Member, body: object) -> None:
        ada = await member("ada")

        answer = await ada.post("/posts", json={"body": body})

        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert answer.json()["errors"][0]["pointer"] == "/body"
        assert (await ada.get("/users/ada")).json()["posts_count"] == 0

    async def test_a_suspended_account_cannot_post(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await connection.exec_driver_sql("UPDATE users SET suspended_at = now()")

        answer = await ada.post("/posts", json={"body": "hello"})

        assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")


class TestRead:
    async def test_anonymous_users_can_read_a_post(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        post_id = await make_post(connection, await make_user(connection, "ada"), "hello")

        answer = await stranger.get(f"/posts/{post_id}")

        assert answer.status_code == 200
        assert answer.json()["body"] == "hello"
        assert answer.json()["viewer"] is None

    async def test_a_post_shows_whether_the_viewer_likes_it(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, await make_user(connection))
        await make_like(connection, ada.id, post_id)

        answer = await ada.get(f"/posts/{post_id}")

        assert answer.json()["viewer"] == {"liked": True}
        assert answer.json()["likes_count"] == 1

    @pytest.mark.parametrize("direction", ["blocker", "blocked"])
    async def test_a_post_is_not_found_if_either_user_has_blocked_the_other(
        self, member: Member, connection: AsyncConnection, direction: str
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection, "bob")
        post_id = await make_post(connection, bob)
        await make_block(connection, *((ada.id, bob) if direction == "blocker" else (bob, ada.id)))

        for path in (f"/posts/{post_id}", f"/posts/{UNKNOWN}"):
            answer = await ada.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "post_not_found")
        assert (await ada.get("/users/bob/posts")).status_code == 404

    async def test_posts_of_a_suspended_user_are_hidden(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        bob = await make_user(connection, suspended_at=clock.now())
        post_id = await make_post(connection, bob)

        assert (await stranger.get(f"/posts/{post_id}")).status_code == 404


class TestChange:
    async def test_the_author_can_replace_the_body(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, ada.id, "helo")

        answer = await ada.put(f"/posts/{post_id}", json={"body": "hello"})

        assert answer.status_code == 200
        assert answer.json()["body"] == "hello"
        assert answer.json()["edited_at"] is not None
        assert (await ada.get(f"/posts/{post_id}")).json() == answer.json()

    async def test_the_author_can_delete_a_post_but_not_twice(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, ada.id)
        await make_like(connection, ada.id, post_id)

        assert (await ada.delete(f"/posts/{post_id}")).status_code == 204
        assert (await ada.delete(f"/posts/{post_id}")).status_code == 404
        assert (await ada.get(f"/posts/{post_id}")).status_code == 404
        assert (await ada.get("/users/ada")).json()["posts_count"] == 0

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    async def test_cannot_edit_or_delete_a_post_of_another_user(
        self, member: Member, connection: AsyncConnection, method: str
    ) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, await make_user(connection), "theirs")
        body = {"json": {"body": "mine"}} if method == "PUT" else {}

        answer = await ada.request(method, f"/posts/{post_id}", **body)

        assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
        stored = await connection.scalar(select(Post.body).where(Post.id == post_id))
        assert stored == "theirs"

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    async def test_editing_or_deleting_an_invisible_post_is_not_found(
        self, member: Member, connection: AsyncConnection, method: str
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection)
        hidden = await make_post(connection, bob)
        await make_block(connection, bob, ada.id)
        body = {"json": {"body": "mine"}} if method == "PUT" else {}

        for post_id in (hidden, UNKNOWN):
            answer = await ada.request(method, f"/posts/{post_id}", **body)
            assert (answer.status_code, answer.json()["code"]) == (404, "post_not_found")


class TestPostsOf:
    async def test_a_users_posts_are_listed_newest_first_in_pages(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada")
        written = [str(await make_post(connection, ada)) for _ in range(5)]

        first = (await stranger.get("/users/Ada/posts?limit=2")).json()
        rest = (
            await stranger.get(f"/users/ada/posts?limit=20&cursor={first['next_cursor']}")
        ).json()

        listed = [item["id"] for item in first["items"] + rest["items"]]
        assert listed == written[::-1]
        assert rest["next_cursor"] is None

    async def test_a_user_without_posts_has_an_empty_list(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "ada")

        answer = await stranger.get("/users/ada/posts")

        assert answer.json() == {"items": [], "next_cursor": None, "prev_cursor": None}

    async def test_a_cursor_is_valid_for_one_users_posts_only(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        for name in ("ada", "bob"):
            person = await make_user(connection, name)
            await make_post(connection, person, id=new_id())
        cursor = (await stranger.get("/users/ada/posts")).json()["prev_cursor"]

        answer = await stranger.get(f"/users/bob/posts?cursor={cursor}")

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")

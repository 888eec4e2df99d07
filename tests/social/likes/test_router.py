from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_block, make_like, make_post, make_user

from wxc.core import clock
from wxc.models import PostLike

UNKNOWN = UUID("01900000-0000-7000-8000-000000000000")


async def likes_of(connection: AsyncConnection, post_id: UUID) -> int | None:
    return await connection.scalar(select(func.count()).where(PostLike.post_id == post_id))


class TestLike:
    async def test_a_like_is_counted_and_shown_to_the_viewer(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, await make_user(connection))

        answer = await ada.post(f"/posts/{post_id}/like")

        assert (answer.status_code, answer.json()) == (200, {"liked": True, "likes_count": 1})
        post = (await ada.get(f"/posts/{post_id}")).json()
        assert (post["likes_count"], post["viewer"]) == (1, {"liked": True})

    async def test_liking_and_unliking_are_idempotent(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, await make_user(connection))
        await make_like(connection, await make_user(connection), post_id)

        for method, state in (
            ("POST", {"liked": True, "likes_count": 2}),
            ("DELETE", {"liked": False, "likes_count": 1}),
        ):
            for _ in range(2):
                answer = await ada.request(method, f"/posts/{post_id}/like")
                assert (answer.status_code, answer.json()) == (200, state)

        assert await likes_of(connection, post_id) == 1

    async def test_can_like_own_post(self, member: Member, connection: AsyncConnection) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, ada.id)

        assert (await ada.post(f"/posts/{post_id}/like")).json()["likes_count"] == 1

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    async def test_cannot_like_an_invisible_post(
        self, member: Member, connection: AsyncConnection, method: str
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection)
        hidden = await make_post(connection, bob)
        await make_block(connection, bob, ada.id)
        suspended = await make_user(connection, suspended_at=clock.now())

        for post_id in (hidden, await make_post(connection, suspended), UNKNOWN):
            answer = await ada.request(method, f"/posts/{post_id}/like")

            assert (answer.status_code, answer.json()["code"]) == (404, "post_not_found")
        assert await likes_of(connection, hidden) == 0

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    async def test_cannot_like_a_post_of_a_blocked_author(
        self, member: Member, connection: AsyncConnection, method: str
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection)
        post_id = await make_post(connection, bob)
        await make_block(connection, ada.id, bob)

        answer = await ada.request(method, f"/posts/{post_id}/like")

        assert (answer.status_code, answer.json()["code"]) == (403, "blocked_by_you")
        assert await likes_of(connection, post_id) == 0


class TestLikes:
    async def test_likes_are_listed_newest_first_and_pages_reach_all(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        post_id = await make_post(connection, await make_user(connection))
        names = [f"fan_{number}" for number in range(5)]
        for name in names:
            await make_like(connection, await make_user(connection, name), post_id)

        first = (await stranger.get(f"/posts/{post_id}/likes?limit=3")).json()
        second = (
            await stranger.get(f"/posts/{post_id}/likes?limit=3&cursor={first['next_cursor']}")
        ).json()

        listed = [item["username"] for item in first["items"] + second["items"]]
        assert listed == names[::-1]
        assert second["next_cursor"] is None
        assert set(first["items"][0]) == {"id", "username", "display_name", "avatar_url"}

    async def test_a_post_without_likes_has_an_empty_list(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        post_id = await make_post(connection, await make_user(connection))

        answer = await stranger.get(f"/posts/{post_id}/likes")

        assert answer.json() == {"items": [], "next_cursor": None, "prev_cursor": None}

    @pytest.mark.parametrize("direction", ["blocker", "blocked", "suspended"])
    async def test_invisible_likers_are_counted_but_not_listed(
        self, member: Member, connection: AsyncConnection, direction: str
    ) -> None:
        ada = await member("ada")
        post_id = await make_post(connection, ada.id)
        eve = await make_user(
            connection, suspended_at=clock.now() if direction == "suspended" else None
        )
        await make_like(connection, eve, post_id)
        if direction != "suspended":
            await make_block(
                connection, *((ada.id, eve) if direction == "blocker" else (eve, ada.id))
            )

        assert (await ada.get(f"/posts/{post_id}/likes")).json()["items"] == []
        assert (await ada.get(f"/posts/{post_id}")).json()["likes_count"] == 1

    async def test_likes_of_an_invisible_post_are_not_found(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection)
        post_id = await make_post(connection, bob)
        await make_block(connection, ada.id, bob)

        for hidden in (post_id, UNKNOWN):
            answer = await ada.get(f"/posts/{hidden}/likes")
            assert (answer.status_code, answer.json()["code"]) == (404, "post_not_found")

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_block, make_follow, make_user

from wxc.core import clock
from wxc.models import Follow, User


async def follows_of(connection: AsyncConnection, browser: Browser) -> int | None:
    statement = select(func.count()).where(Follow.follower_id == browser.id)
    return await connection.scalar(statement)


class TestFollow:
    async def test_a_follow_updates_the_counters_of_both_users(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_user(connection, "bob")

        answer = await ada.post("/users/BOB/follow")

        assert answer.json() == {"following": True, "followers_count": 1}
        assert (await ada.get("/users/bob")).json()["followers_count"] == 1
        assert (await ada.get("/users/ada")).json()["following_count"] == 1

    async def test_following_twice_counts_once(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_user(connection, "bob")

        await ada.post("/users/bob/follow")
        answer = await ada.post("/users/bob/follow")

        assert answer.json() == {"following": True, "followers_count": 1}
        assert await follows_of(connection, ada) == 1

    async def test_unfollowing_is_idempotent(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_user(connection, "bob")
        await ada.post("/users/bob/follow")

        for _ in range(2):
            answer = await ada.delete("/users/bob/follow")
            assert answer.json() == {"following": False, "followers_count": 0}

        assert (await ada.get("/users/ada")).json()["following_count"] == 0

    async def test_cannot_follow_self(self, member: Member) -> None:
        ada = await member("ada")

        answer = await ada.post("/users/Ada/follow")

        assert (answer.status_code, answer.json()["code"]) == (422, "cannot_follow_self")

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    async def test_a_user_who_has_blocked_the_viewer_is_not_found(
        self, member: Member, connection: AsyncConnection, method: str
    ) -> None:
        ada = await member("ada")
        await make_block(connection, await make_user(connection, "bob"), ada.id)

        answer = await ada.request(method, "/users/bob/follow")

        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
        assert await follows_of(connection, ada) == 0

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    async def test_cannot_follow_a_blocked_user(
        self, member: Member, connection: AsyncConnection, method: str
    ) -> None:
        ada = await member("ada")
        await make_block(connection, ada.id, await make_user(connection, "bob"))

        answer = await ada.request(method, "/users/bob/follow")

        assert (answer.status_code, answer.json()["code"]) == (403, "blocked_by_you")

    async def test_a_suspended_user_cannot_be_followed(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_user(connection, "bob", suspended_at=clock.now())

        assert (await ada.post("/users/bob/follow")).status_code == 404


class TestLists:
    async def test_followers_are_listed_newest_first_in_pages(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        bob = await make_user(connection, "bob")
        names = [f"fan_{number}" for number in range(5)]
        for name in names:
            await make_follow(connection, await make_user(connection, name), bob)

        first = (await stranger.get("/users/bob/followers?limit=3")).json()
        second = (
            await stranger.get(f"/users/bob/followers?limit=3&cursor={first['next_cursor']}")
        ).json()

        listed = [item["username"] for item in first["items"] + second["items"]]
        assert listed == names[::-1]
        assert second["next_cursor"] is None
        assert set(first["items"][0]) == {"id", "username", "display_name", "avatar_url"}

    async def test_following_lists_the_users_that_a_user_follows(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada, bob = await make_user(connection, "ada"), await make_user(connection, "bob")
        await make_follow(connection, ada, bob)

        answer = await stranger.get("/users/ada/following")

        assert [item["username"] for item in answer.json()["items"]] == ["bob"]

    @pytest.mark.parametrize("direction", ["blocker", "blocked"])
    async def test_lists_exclude_users_on_both_sides_of_a_block(
        self, member: Member, connection: AsyncConnection, direction: str
    ) -> None:
        ada = await member("ada")
        bob, eve = await make_user(connection, "bob"), await make_user(connection, "eve")
        await make_follow(connection, eve, bob)
        pair = (ada.id, eve) if direction == "blocker" else (eve, ada.id)
        await make_block(connection, *pair)

        answer = await ada.get("/users/bob/followers")

        assert answer.json() == {"items": [], "next_cursor": None, "prev_cursor": None}

    @pytest.mark.parametrize("path", ["followers", "following"])
    async def test_lists_of_an_unknown_user_are_not_found(
        self, stranger: Browser, path: str
    ) -> None:
        answer = await stranger.get(f"/users/nobody_here/{path}")

        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")

    async def test_suspended_followers_are_not_listed(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        bob = await make_user(connection, "bob")
        await make_follow(connection, await make_user(connection, suspended_at=clock.now()), bob)

        assert (await stranger.get("/users/bob/followers")).json()["items"] == []

    async def test_follow_counters_match_the_rows(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        for name in ("ada", "bob", "eve"):
            await member(name)
        ada = await member("zoe")
        for name in ("ada", "bob", "eve", "bob"):
            await ada.post(f"/users/{name}/follow")
        await ada.delete("/users/eve/follow")

        drift = select(User.username).where(
            (
                User.following_count
                != select(func.count()).where(Follow.follower_id == User.id).scalar_subquery()
            )
            | (
                User.followers_count
                != select(func.count()).where(Follow.followed_id == User.id).scalar_subquery()
            )
        )
        assert (await connection.execute(drift)).all() == []

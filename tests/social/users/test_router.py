import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_block, make_follow, make_mute, make_user

from wxc.core import clock


class TestProfile:
    async def test_a_profile_is_public_and_its_username_case_insensitive(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "Ada", display_name="Ada L.", bio="Countess")

        answer = await stranger.get("/users/aDA")

        assert answer.status_code == 200
        profile = answer.json()
        assert (profile["username"], profile["bio"]) == ("Ada", "Countess")
        assert profile["viewer"] is None
        assert set(profile) == {
            "id",
            "username",
            "display_name",
            "avatar_url",
            "bio",
            "created_at",
            "followers_count",
            "following_count",
            "posts_count",
            "has_exchange",
            "viewer",
        }

    async def test_a_profile_shows_the_relation_to_the_viewer(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        bob = await make_user(connection, "bob")
        await make_follow(connection, bob, ada.id)
        await make_mute(connection, ada.id, bob)

        answer = await ada.get("/users/bob")

        assert answer.json()["viewer"] == {
            "following": False,
            "followed_by": True,
            "muting": True,
            "blocking": False,
        }

    async def test_the_profile_of_a_blocked_user_is_visible_to_the_blocker(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_block(connection, ada.id, await make_user(connection, "bob"))

        answer = await ada.get("/users/bob")

        assert answer.status_code == 200
        assert answer.json()["viewer"]["blocking"] is True

    async def test_a_user_who_has_blocked_the_viewer_is_not_found(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_block(connection, await make_user(connection, "bob"), ada.id)

        answer = await ada.get("/users/bob")

        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")

    async def test_a_suspended_user_is_not_found(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "bob", suspended_at=clock.now())

        assert (await stranger.get("/users/bob")).status_code == 404

    @pytest.mark.parametrize("name", ["nobody_here", "a", "a" * 31, "a-b", "%00ada", "ada%0A", "ä"])
    async def test_unknown_and_malformed_names_get_the_same_answer(
        self, stranger: Browser, name: str
    ) -> None:
        answer = await stranger.get(f"/users/{name}")

        assert answer.status_code in (400, 404)
        assert answer.json()["code"] in ("user_not_found", "malformed_request")

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_block, make_follow, make_mute, make_post, make_user

from wxc.core import clock
from wxc.social.feed import service


def bodies(feed: dict[str, Any]) -> list[str]:
    return [item["post"]["body"] for item in feed["items"]]


@pytest.fixture(params=["merged", "walked"])
def _both_strategies(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Merging per author and walking all posts must return the same feed."""
    if request.param == "walked":
        monkeypatch.setattr(service, "WALK_THRESHOLD", -1)


@pytest.mark.usefixtures("_both_strategies")
class TestFollowing:
    async def test_feed_lists_own_and_followed_posts_newest_first_with_reasons(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection)
        await make_follow(connection, ada.id, bob)
        await make_post(connection, bob, "first")
        await make_post(connection, ada.id, "second")
        await make_post(connection, bob, "third")

        feed = (await ada.get("/feeds")).json()

        assert bodies(feed) == ["third", "second", "first"]
        assert [item["reason"] for item in feed["items"]] == ["following", "own", "following"]
        assert {item["type"] for item in feed["items"]} == {"post"}
        assert feed["source"] == "following"

    async def test_following_and_unfollowing_change_the_feed_immediately(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection, "bob")
        await make_post(connection, ada.id, "mine")
        await make_post(connection, bob, "theirs")

        await ada.post("/users/bob/follow")
        assert bodies((await ada.get("/feeds")).json()) == ["theirs", "mine"]

        await ada.delete("/users/bob/follow")
        assert bodies((await ada.get("/feeds")).json()) == ["mine"]

    @pytest.mark.parametrize("why", ["muted", "blocked", "blocker", "suspended"])
    async def test_feed_excludes_muted_blocked_and_suspended_authors(
        self, member: Member, connection: AsyncConnection, why: str
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection, "bob")
        await make_follow(connection, ada.id, bob)
        await make_post(connection, bob, "canary")
        if why == "muted":
            await make_mute(connection, ada.id, bob)
        elif why == "suspended":
            await connection.exec_driver_sql(
                "UPDATE users SET suspended_at = now() WHERE username = 'bob'"
            )
        else:
            await make_block(connection, *((ada.id, bob) if why == "blocked" else (bob, ada.id)))

        assert (await ada.get("/feeds")).json()["items"] == []

    async def test_pages_are_stable_while_others_post_and_polling_returns_new_posts(
        self, member: Member, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection)
        await make_follow(connection, ada.id, bob)
        for number in range(5):
            await make_post(connection, bob, f"old {number}")
        later = clock.now() + timedelta(
            seconds=3
        )  # past the settle window: polling repeats no posts
        monkeypatch.setattr(clock, "now", lambda: later)

        first = (await ada.get("/feeds?limit=2")).json()
        await make_post(connection, bob, "new")
        second = (await ada.get(f"/feeds?limit=2&cursor={first['next_cursor']}")).json()
        polled = (await ada.get(f"/feeds?limit=2&cursor={first['prev_cursor']}")).json()

        assert bodies(first) + bodies(second) == ["old 4", "old 3", "old 2", "old 1"]
        assert bodies(polled) == ["new"]
        assert bodies((await ada.get(f"/feeds?cursor={second['next_cursor']}")).json()) == ["old 0"]

    async def test_a_cursor_of_another_user_is_refused(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await member("bob")
        await make_post(connection, ada.id)
        cursor = (await ada.get("/feeds")).json()["prev_cursor"]

        answer = await bob.get(f"/feeds?cursor={cursor}")

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


class TestDiscover:
    async def test_a_newcomer_discovers_recent_posts_in_pages(self, member: Member) -> None:
        ada = await member("ada")

        first = (await ada.get("/feeds?limit=3")).json()
        second = (await ada.get(f"/feeds?limit=3&cursor={first['next_cursor']}")).json()

        assert (first["source"], second["source"]) == ("discover", "discover")
        assert {item["reason"] for item in first["items"]} == {"discover"}
        assert bodies(first) + bodies(second) == ["noise"] * 4
        assert second["next_cursor"] is None

    @pytest.mark.parametrize("why", ["muted", "blocked"])
    async def test_discovery_excludes_muted_and_blocked_authors(
        self, member: Member, connection: AsyncConnection, why: str
    ) -> None:
        ada, bob = await member("ada"), await make_user(connection)
        await make_post(connection, bob, "canary")
        make = make_mute if why == "muted" else make_block
        await make(connection, ada.id, bob)

        assert "canary" not in bodies((await ada.get("/feeds")).json())

    async def test_a_user_who_follows_anyone_gets_no_discovered_posts(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_follow(connection, ada.id, await make_user(connection))

        feed = (await ada.get("/feeds")).json()

        assert feed == {
            "items": [],
            "next_cursor": None,
            "prev_cursor": None,
            "source": "following",
        }

    async def test_discovery_without_any_posts_is_empty(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await connection.exec_driver_sql("DELETE FROM posts")

        feed = (await ada.get("/feeds")).json()

        assert (feed["items"], feed["source"]) == ([], "discover")

    async def test_a_feed_requires_authentication(self, stranger: Browser) -> None:
        assert (await stranger.get("/feeds")).status_code == 401

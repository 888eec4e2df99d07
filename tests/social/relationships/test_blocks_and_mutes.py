"""A block hides two users from each other; a mute hides one user's posts and notifications."""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.app import registered_browser, running_app
from tests.support.browser import Browser
from tests.support.factories import make_block, make_follow, make_post, make_user
from tests.support.limits import UNLIMITED

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.models import Block, Follow, Mute, User


async def list_usernames(browser: Browser, path: str) -> list[str]:
    return [item["username"] for item in (await browser.get(path)).json()["items"]]


class TestBlock:
    async def test_a_block_hides_both_users_from_each_other(self, member: Member) -> None:
        ada, bob = await member("ada"), await member("bob")
        post = (await bob.post("/posts", json={"body": "hello"})).json()["id"]

        answer = await ada.post("/users/Bob/block")

        assert (answer.status_code, answer.json()) == (200, {"blocking": True})
        assert (await bob.get("/users/ada")).status_code == 404
        assert (await ada.get("/users/bob")).json()["viewer"]["blocking"]
        assert (await ada.get("/users/bob/posts")).status_code == 404
        assert (await ada.get(f"/posts/{post}")).status_code == 404

    async def test_a_block_deletes_follows_in_both_directions_and_updates_counters(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await member("bob")
        for one, other in ((ada, "bob"), (bob, "ada"), (bob, "noise_1"), (ada, "noise_1")):
            await one.post(f"/users/{other}/follow")

        await ada.post("/users/bob/block")

        for person in (ada, bob):
            own = (await person.get(f"/users/{person.username}")).json()
            assert (own["followers_count"], own["following_count"]) == (0, 1)
        follows = await connection.execute(
            select(Follow.id).where(
                Follow.follower_id.in_((ada.id, bob.id)), Follow.followed_id.in_((ada.id, bob.id))
            )
        )
        assert not follows.all()

    async def test_blocking_is_idempotent_and_unblocking_restores_no_follow(
        self, member: Member
    ) -> None:
        ada, bob = await member("ada"), await member("bob")
        await bob.post("/users/ada/follow")

        for method, state in (("POST", True), ("POST", True), ("DELETE", False), ("DELETE", False)):
            answer = await ada.request(method, "/users/bob/block")
            assert (answer.status_code, answer.json()) == (200, {"blocking": state})

        profile = (await bob.get("/users/ada")).json()
        assert not profile["viewer"]["following"]
        assert profile["followers_count"] == 0

    async def test_a_mutual_block_can_be_removed_but_not_created_again(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await member("bob")
        await ada.post("/users/bob/block")
        await make_block(connection, bob.id, ada.id)

        assert (await ada.post("/users/bob/block")).status_code == 200
        assert (await ada.delete("/users/bob/block")).json() == {"blocking": False}
        for method in ("POST", "DELETE"):
            answer = await ada.request(method, "/users/bob/block")
            assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")

    @pytest.mark.parametrize("edge", ["block", "mute"])
    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    async def test_cannot_block_or_mute_self_unknown_or_suspended_users(
        self, member: Member, connection: AsyncConnection, edge: str, method: str
    ) -> None:
        ada = await member("ada")
        await make_user(connection, "eve", suspended_at=clock.now())

        answers = [
            await ada.request(method, f"/users/{name}/{edge}") for name in ("ADA", "nobody", "eve")
        ]

        assert [(one.status_code, one.json()["code"]) for one in answers] == [
            (422, f"cannot_{edge}_self"),
            (404, "user_not_found"),
            (404, "user_not_found"),
        ]


class TestMute:
    async def test_a_mute_hides_posts_in_the_feed_only_and_is_not_disclosed(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await member("bob")
        await make_follow(connection, ada.id, bob.id)
        await make_post(connection, bob.id, "hello")

        answer = await ada.post("/users/bob/mute")

        assert (answer.status_code, answer.json()) == (200, {"muting": True})
        assert (await ada.get("/feeds")).json()["items"] == []
        assert len((await ada.get("/users/bob/posts")).json()["items"]) == 1
        assert (await ada.get("/users/bob")).json()["viewer"]["muting"]
        assert not (await bob.get("/users/ada")).json()["viewer"]["muting"]

    async def test_muting_and_unmuting_are_idempotent(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_user(connection, "bob")

        for method, state in (("POST", True), ("POST", True), ("DELETE", False), ("DELETE", False)):
            answer = await ada.request(method, "/users/bob/mute")
            assert (answer.status_code, answer.json()) == (200, {"muting": state})

        assert not (await connection.execute(select(Mute).where(Mute.muter_id == ada.id))).all()

    async def test_a_blocked_user_can_be_muted(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await make_block(connection, ada.id, await make_user(connection, "bob"))

        assert (await ada.post("/users/bob/mute")).status_code == 200
        assert await list_usernames(ada, "/settings/mutes") == ["bob"]


class TestOwnLists:
    @pytest.mark.parametrize("edge", ["block", "mute"])
    async def test_blocks_and_mutes_are_listed_newest_first_in_pages(
        self, member: Member, connection: AsyncConnection, edge: str
    ) -> None:
        ada = await member("ada")
        for name in ("bob", "eve", "kim"):
            await make_user(connection, name)
            await ada.post(f"/users/{name}/{edge}")
        await make_user(connection, "gone", suspended_at=clock.now())

        first = (await ada.get(f"/settings/{edge}s?limit=2")).json()
        rest = await list_usernames(ada, f"/settings/{edge}s?limit=2&cursor={first['next_cursor']}")

        assert [item["username"] for item in first["items"]] == ["kim", "eve"]
        assert set(first["items"][0]) == {"id", "username", "display_name", "avatar_url"}
        assert rest == ["bob"]

    async def test_blocks_and_mutes_are_private(self, member: Member, stranger: Browser) -> None:
        ada, bob = await member("ada"), await member("bob")
        await ada.post("/users/noise_1/block")
        await ada.post("/users/noise_2/block")
        cursor = (await ada.get("/settings/blocks?limit=1")).json()["next_cursor"]

        assert await list_usernames(bob, "/settings/blocks") == []
        assert (await bob.get(f"/settings/blocks?cursor={cursor}")).status_code == 400
        for path in ("/settings/blocks", "/settings/mutes"):
            assert (await stranger.get(path)).status_code == 401

    async def test_mutual_blocks_stay_listed_but_mutes_of_blockers_do_not(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada, bob = await member("ada"), await member("bob")
        await ada.post("/users/bob/mute")
        await ada.post("/users/bob/block")
        await make_block(connection, bob.id, ada.id)

        assert await list_usernames(ada, "/settings/blocks") == ["bob"]
        assert await list_usernames(ada, "/settings/mutes") == []


@pytest.mark.unmeasured
async def test_no_follow_coexists_with_a_block_in_any_schedule(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> None:
    """After 1,000 seeded concurrent actions of two users no counter is wrong."""
    changed = {"database_url": fresh_database_url, **UNLIMITED}
    rng = random.Random(61)  # noqa: S311 - a schedule, not a secret
    actions = [(method, edge) for method in ("POST", "DELETE") for edge in ("follow", "block")]
    async with running_app(config.model_copy(update=changed)) as app, AsyncExitStack() as stack:
        ada, bob = [await registered_browser(app, stack, name) for name in ("ada", "bob")]
        for _ in range(50):
            schedule = [
                (rng.choice([(ada, "bob"), (bob, "ada")]), rng.choice(actions)) for _ in range(20)
            ]
            answers = await asyncio.gather(
                *(
                    person.request(method, f"/users/{other}/{edge}")
                    for (person, other), (method, edge) in schedule
                )
            )
            assert {answer.status_code for answer in answers} <= {200, 403, 404}
            async with app.state.services.database.transaction() as session:
                assert await session.scalar(text(_INCONSISTENCIES)) == 0


_INCONSISTENCIES = """
    SELECT (SELECT count(*) FROM follows JOIN blocks
            ON (blocker_id, blocked_id) IN ((follower_id, followed_id), (followed_id, follower_id)))
         + (SELECT count(*) FROM users WHERE
            followers_count <> (SELECT count(*) FROM follows WHERE followed_id = users.id) OR
            following_count <> (SELECT count(*) FROM follows WHERE follower_id = users.id))
         + (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database())
"""


async def test_check_constraints_forbid_blocking_and_muting_oneself(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")
    for table, columns in ((Block, "blocker_id, blocked_id"), (Mute, "muter_id, muted_id")):
        statement = text(
            f"INSERT INTO {table.__tablename__} (id, {columns}, created_at)"  # noqa: S608
            " SELECT gen_random_uuid(), id, id, now() FROM users WHERE username = 'ada'"
        )
        with pytest.raises(Exception, match="not_oneself"):
            async with connection.begin_nested():
                await connection.execute(statement)
    assert await connection.scalar(select(User.id).where(User.id == ada.id))

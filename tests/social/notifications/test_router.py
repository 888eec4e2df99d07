from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import (
    make_block,
    make_comment,
    make_mute,
    make_notification,
    make_post,
    make_user,
)

from wxc.core import clock
from wxc.core.ids import new_id
from wxc.models import NotificationType
from wxc.social.notifications.mentions import mentioned_usernames
from wxc.social.relationships.service import add_follow

LIKE = NotificationType.POST_LIKE
REPLY = NotificationType.COMMENT_REPLY


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


async def fetch_page(browser: Browser, query: str = "") -> dict[str, Any]:
    answer = await browser.get(f"/notifications{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def ids(browser: Browser, query: str = "") -> list[str]:
    return [group["id"] for group in (await fetch_page(browser, query))["items"]]


async def read(browser: Browser, up_to: object) -> int:
    answer = await browser.post("/notifications/read", json={"up_to": str(up_to)})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["unread_count"])


class TestFollow:
    async def test_repeated_follows_notify_once(self, ada: Browser, member: Member) -> None:
        bob = await member("bob")
        for method in ("POST", "POST", "DELETE", "POST"):
            await bob.request(method, "/users/ada/follow")

        page = await fetch_page(ada)

        (group,) = page["items"]
        assert (group["type"], group["count"], group["unread"]) == ("follow", 1, True)
        assert [actor["username"] for actor in group["actors"]] == ["bob"]
        assert (group["post_id"], group["comment_id"]) == (None, None)
        assert page["unread_count"] == 1

    async def test_unfollowing_hides_the_notification_until_the_user_follows_again(
        self, ada: Browser, member: Member, connection: AsyncConnection
    ) -> None:
        bob = await member("bob")
        await bob.post("/users/ada/follow")
        (before,) = (await fetch_page(ada))["items"]
        await read(ada, before["id"])

        await bob.delete("/users/ada/follow")
        assert await ids(ada) == []
        later = await make_notification(connection, ada.id, await make_user(connection), LIKE)
        await bob.post("/users/ada/follow")

        newest, again = (await fetch_page(ada))["items"]
        assert newest["id"] == str(later)
        assert again == before | {"unread": False}

    async def test_follows_of_one_day_in_utc_are_one_group(
        self,
        ada: Browser,
        app: FastAPI,
        connection: AsyncConnection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        for hours in (1, 2, 12, 23, 24):
            fan = await make_user(connection, f"fan_{hours}")
            monkeypatch.setattr(clock, "now", frozen_at(midnight + timedelta(hours=hours)))
            async with app.state.services.database.transaction() as session:
                await add_follow(session, fan, ada.id)
        monkeypatch.undo()

        tomorrow, today = (await fetch_page(ada))["items"]

        assert (tomorrow["count"], today["count"]) == (1, 4)
        assert [actor["username"] for actor in today["actors"]] == ["fan_23", "fan_12", "fan_2"]

    async def test_a_block_deletes_the_notifications_of_both_users_about_each_other(
        self, ada: Browser, member: Member
    ) -> None:
        bob = await member("bob")
        await bob.post("/users/ada/follow")
        await ada.post("/users/bob/follow")

        await ada.post("/users/bob/block")
        await ada.delete("/users/bob/block")

        assert (await ids(ada), await ids(bob)) == ([], [])


def frozen_at(moment: datetime) -> Any:
    return lambda: moment


class TestGroups:
    async def test_likes_of_one_post_form_a_group_and_replies_do_not(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        post = await make_post(connection, ada.id)
        fans = [await make_user(connection, f"fan_{number}") for number in range(4)]
        reply = await make_notification(connection, ada.id, fans[0], REPLY, post_id=post)
        likes = [
            await make_notification(
                connection, ada.id, fan, LIKE, subject_id=post, group_id=post, post_id=post
            )
            for fan in fans
        ]
        other = await make_notification(connection, ada.id, fans[1], REPLY, post_id=post)

        groups = (await fetch_page(ada))["items"]

        assert [group["id"] for group in groups] == [str(other), str(likes[-1]), str(reply)]
        assert [group["count"] for group in groups] == [1, 4, 1]
        assert [actor["username"] for actor in groups[1]["actors"]] == ["fan_3", "fan_2", "fan_1"]
        assert groups[1]["post_id"] == str(post)

    async def test_pages_list_each_group_once_at_the_position_of_its_newest_notification(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        # Four interleaved groups.
        fans = [await make_user(connection) for _ in range(3)]
        keys = [new_id() for _ in range(4)]
        newest_ids = {
            key: await make_notification(connection, ada.id, fan, LIKE, group_id=key)
            for fan in fans
            for key in keys
        }

        seen: list[str] = []
        query = "?limit=1"
        while query:
            page = await fetch_page(ada, query)
            seen += [group["id"] for group in page["items"]]
            assert [group["count"] for group in page["items"]] == [3]
            query = f"?limit=1&cursor={page['next_cursor']}" if page["next_cursor"] else ""

        assert seen == [str(newest_ids[key]) for key in reversed(keys)]

    async def test_prev_cursor_returns_groups_that_are_new_or_have_grown(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        fan = await make_user(connection)
        group = new_id()
        await make_notification(connection, ada.id, fan, LIKE, group_id=group)
        cursor = (await fetch_page(ada))["prev_cursor"]

        newer = await make_notification(connection, ada.id, fan, LIKE, group_id=group)
        single = await make_notification(connection, ada.id, fan)

        page = await fetch_page(ada, f"?cursor={cursor}")
        assert [group["id"] for group in page["items"]] == [str(single), str(newer)]
        assert page["items"][1]["count"] == 2

    async def test_notifications_exclude_muted_blocked_and_suspended_actors(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        fan, muted, blocked, blocker, suspended = [
            await make_user(connection, name)
            for name in ("fan", "muted", "blocked", "blocker", "suspended")
        ]
        post = await make_post(connection, ada.id)
        for actor in (muted, fan, muted, blocked, blocker, suspended, muted):
            await make_notification(connection, ada.id, actor, LIKE, group_id=post, post_id=post)
            await make_notification(connection, ada.id, actor)
        await make_mute(connection, ada.id, muted)
        await make_block(connection, ada.id, blocked)
        await make_block(connection, blocker, ada.id)
        await connection.exec_driver_sql(
            "UPDATE users SET suspended_at = now() WHERE username = 'suspended'"
        )

        page = await fetch_page(ada)

        assert [(group["count"], len(group["actors"])) for group in page["items"]] == [(1, 1)] * 2
        assert {group["actors"][0]["username"] for group in page["items"]} == {"fan"}
        assert page["unread_count"] == 2

    async def test_notifications_about_an_invisible_post_are_hidden(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        bob, kim = [await make_user(connection, name) for name in ("bob", "kim")]
        post = await make_post(connection, bob)
        comment = await make_comment(connection, kim, post)
        await make_notification(
            connection, ada.id, kim, NotificationType.MENTION, post_id=post, comment_id=comment
        )
        assert len(await ids(ada)) == 1

        await make_block(connection, bob, ada.id)

        assert await ids(ada) == []

    async def test_deleting_a_post_deletes_its_notifications(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        post = (await ada.post("/posts", json={"body": "hello"})).json()["id"]
        await make_notification(
            connection, ada.id, await make_user(connection), LIKE, post_id=UUID(post)
        )

        await ada.delete(f"/posts/{post}")

        assert await ids(ada) == []

    async def test_a_system_notification_lists_no_actors(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        await make_notification(connection, ada.id, None, NotificationType.EXCHANGE_EXPIRING)

        (group,) = (await fetch_page(ada))["items"]

        assert (group["type"], group["actors"], group["count"]) == ("exchange_expiring", [], 1)


class TestReading:
    async def test_marking_as_read_covers_all_notifications_up_to_an_id_and_is_never_undone(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        fan = await make_user(connection)
        created = [await make_notification(connection, ada.id, fan) for _ in range(3)]

        assert (await fetch_page(ada))["unread_count"] == 3  # listing marks nothing as read
        assert await read(ada, created[1]) == 1
        assert await read(ada, created[0]) == 1
        assert [one["unread"] for one in (await fetch_page(ada))["items"]] == [True, False, False]

    async def test_a_group_is_unread_while_any_of_its_notifications_is_unread(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        fan, group = await make_user(connection), new_id()
        first = await make_notification(connection, ada.id, fan, LIKE, group_id=group)
        await make_notification(connection, ada.id, fan, LIKE, group_id=group)

        assert await read(ada, first) == 1
        assert [one["unread"] for one in (await fetch_page(ada))["items"]] == [True]

    async def test_groups_can_be_filtered_by_unread(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        fan = await make_user(connection)
        old, new = [await make_notification(connection, ada.id, fan) for _ in range(2)]
        await read(ada, old)

        assert await ids(ada, "?unread=true") == [str(new)]
        assert await ids(ada, "?unread=false") == [str(new), str(old)]
        cursor = (await fetch_page(ada, "?unread=true"))["prev_cursor"]
        assert (await ada.get(f"/notifications?cursor={cursor}")).status_code == 400

    async def test_the_unread_count_stops_at_99(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        fan = await make_user(connection)
        for _ in range(101):
            await make_notification(connection, ada.id, fan)

        assert (await fetch_page(ada, "?limit=1"))["unread_count"] == 99

    async def test_notifications_are_private_to_their_recipient(
        self, ada: Browser, member: Member, stranger: Browser, connection: AsyncConnection
    ) -> None:
        bob = await member("bob")
        created = await make_notification(connection, ada.id, bob.id)

        assert await ids(bob) == []
        assert await read(bob, created) == 0
        assert (await fetch_page(ada))["unread_count"] == 1
        assert (await stranger.get("/notifications")).status_code == 401


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("hello @Ada, and @bob_1!", ["ada", "bob_1"]),
        ("@ada @ADA @ada", ["ada"]),
        ("(@ada) “@bob” @kim: @lin.", ["ada", "bob", "kim", "lin"]),
        ("mail ada@example.com or @ab, @@ada, @ada@example.com", []),
        (f"@{'x' * 31}", []),
        (" ".join(f"@name_{number}" for number in range(25)), [f"name_{n}" for n in range(20)]),
    ],
)
def test_mentions_are_folded_unique_and_at_most_20(body: str, names: list[str]) -> None:
    assert mentioned_usernames(body) == names

"""A thread is a flat list in pre-order; paging reaches every comment once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.social.comments.conftest import UNKNOWN_ID, ThreadScene
from tests.support.browser import Browser
from tests.support.factories import make_block, make_comment, make_user

from wxc.core import clock
from wxc.core.ids import new_id
from wxc.models import Comment


def ids(items: list[Any]) -> list[UUID]:
    return [UUID(item["id"]) for item in items]


async def fetch_all_items(
    browser: Browser, path: str, query: str = "", cursor: str | None = None
) -> list[Any]:
    """All comments that cursors reach, the replies after their comment."""
    found: list[Any] = []
    while True:
        at = "" if cursor is None else f"&cursor={cursor}"
        answer = await browser.get(f"{path}?{query}{at}".replace("?&", "?"))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= 500
        for item in page["items"]:
            found.append(item)
            if item["replies_cursor"]:
                replies = f"/comments/{item['id']}/replies"
                found += await fetch_all_items(browser, replies, cursor=item["replies_cursor"])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_a_thread_is_listed_in_pre_order_with_depths(thread: ThreadScene) -> None:
    first, second = await thread.add_comment(), await thread.add_comment()
    a, b = await thread.add_comment(first), await thread.add_comment(first)
    below = await thread.add_comment(a)

    items = await thread.list_items()

    assert ids(items) == [first, a, below, b, second]
    assert [item["depth"] for item in items] == [0, 1, 2, 1, 0]
    assert items[1]["parent_id"] == str(first)
    assert [item["replies_cursor"] for item in items] == [None] * 5
    assert items[0]["author"]["username"] == "bob"


async def test_newest_first_applies_to_every_level(thread: ThreadScene) -> None:
    first, second = await thread.add_comment(), await thread.add_comment()
    a, b = await thread.add_comment(first), await thread.add_comment(first)

    assert ids(await thread.list_items("sort=newest")) == [second, first, b, a]


async def test_the_thread_is_empty_without_comments_and_not_found_for_an_unknown_post(
    thread: ThreadScene,
) -> None:
    empty = await thread.ada.get(thread.path)
    unknown = await thread.ada.get(f"/posts/{UNKNOWN_ID}/comments")

    assert empty.json() == {"items": [], "next_cursor": None, "prev_cursor": None}
    assert (unknown.status_code, unknown.json()["code"]) == (404, "post_not_found")


async def test_limit_counts_top_level_comments(thread: ThreadScene) -> None:
    tops = [await thread.add_comment() for _ in range(5)]
    for top in tops:
        await thread.add_comment(top)

    pages, cursor = [], ""
    while cursor is not None:
        page = (await thread.ada.get(f"{thread.path}?limit=2{cursor}")).json()
        pages.append([item["id"] for item in page["items"] if item["depth"] == 0])
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    assert pages == [[str(top) for top in tops[at : at + 2]] for at in (0, 2, 4)]


@pytest.mark.parametrize("sort", ["oldest", "newest"])
async def test_replies_cursor_continues_after_listed_replies(
    thread: ThreadScene, sort: str
) -> None:
    top = await thread.add_comment()
    replies = [await thread.add_comment(top) for _ in range(5)]
    order = replies if sort == "oldest" else replies[::-1]

    first, *listed = await thread.list_items(f"sort={sort}&branch=2")
    rest = await fetch_all_items(
        thread.ada, f"/comments/{top}/replies", "limit=1", first["replies_cursor"]
    )

    assert ids(listed) == order[:2]
    assert ids(rest) == order[2:]


async def test_depth_limits_levels_and_a_cursor_reaches_deeper_replies(
    thread: ThreadScene,
) -> None:
    chain = await thread.add_reply_chain(5)

    items = await thread.list_items("depth=2")
    flat = await thread.list_items("depth=0")

    assert ids(items) == chain[:3]
    assert [item["replies_cursor"] is None for item in items] == [True, True, False]
    below = await thread.ada.get(
        f"/comments/{chain[2]}/replies?cursor={items[2]['replies_cursor']}"
    )
    assert ids(below.json()["items"]) == chain[3:]
    assert ids(flat) == chain[:1]
    assert flat[0]["replies_cursor"] is not None


async def test_replies_are_listed_as_a_thread(thread: ThreadScene) -> None:
    chain = await thread.add_reply_chain(4)
    await thread.add_comment()

    answer = await thread.ada.get(f"/comments/{chain[0]}/replies?sort=newest&depth=1")

    assert ids(answer.json()["items"]) == chain[1:3]
    unknown = await thread.ada.get(f"/comments/{UNKNOWN_ID}/replies")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "comment_not_found")


async def test_a_replies_cursor_contains_its_shape_and_is_valid_for_one_comment_only(
    thread: ThreadScene,
) -> None:
    top, other = await thread.add_comment(), await thread.add_comment()
    replies = [await thread.add_comment(top) for _ in range(4)]
    await thread.add_comment(replies[0])
    for _ in range(2):
        await thread.add_comment(other)
    _, item = await thread.list_items("sort=newest&depth=0&branch=1")
    cursor = item["replies_cursor"]

    answer = await thread.ada.get(f"/comments/{top}/replies?sort=oldest&cursor={cursor}")
    elsewhere = await thread.ada.get(f"/comments/{other}/replies?cursor={cursor}")

    assert item["id"] == str(top)
    assert ids(answer.json()["items"]) == replies[::-1]  # newest first, without deeper levels
    assert len(cursor) <= 256
    for wrong in (elsewhere, await thread.ada.get(f"{thread.path}?cursor={cursor}")):
        assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("other", ["sort=newest", "depth=1", "branch=2"])
async def test_a_cursor_of_a_thread_is_valid_for_one_shape_only(
    thread: ThreadScene, other: str
) -> None:
    for _ in range(2):
        await thread.add_comment()
    cursor = (await thread.ada.get(f"{thread.path}?limit=1")).json()["next_cursor"]

    answer = await thread.ada.get(f"{thread.path}?{other}&cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("query", ["sort=best", "depth=-1", "depth=21", "branch=0", "branch=51"])
async def test_a_shape_out_of_bounds_is_refused(thread: ThreadScene, query: str) -> None:
    answer = await thread.ada.get(f"{thread.path}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize("sort", ["oldest", "newest"])
async def test_cursors_reach_every_comment_of_a_large_thread_exactly_once(
    thread: ThreadScene, connection: AsyncConnection, sort: str
) -> None:
    tops = [await thread.add_comment() for _ in range(4)]
    values = [
        {"id": new_id(), "parent_id": top, "post_id": thread.post_id, "author_id": thread.bob}
        for top in (tops[0], *tops[1:2] * 20, *tops[2:3] * 48)
        for _ in range(12 if top != tops[0] else 3)
    ]
    grandchildren = [
        {**values[at], "id": new_id(), "parent_id": values[at]["id"], "depth": 2}
        for at in range(10)
        for _ in range(9)
    ]
    children = [{**value, "depth": 1} for value in values]
    for rows in (children, grandchildren):
        await connection.execute(insert(Comment).values(body="x"), rows)
    await connection.exec_driver_sql(
        "UPDATE comments SET children_count = n, replies_count = n FROM (SELECT parent_id, "
        "count(*) n FROM comments GROUP BY 1) c WHERE c.parent_id = comments.id"
    )
    written = {*tops, *(row["id"] for row in (*children, *grandchildren))}

    first = (await thread.ada.get(f"{thread.path}?sort={sort}&depth=20&branch=50")).json()
    found = ids(await fetch_all_items(thread.ada, thread.path, f"sort={sort}&depth=20&branch=50"))
    narrow = ids(
        await fetch_all_items(thread.ada, thread.path, f"sort={sort}&depth=1&branch=3&limit=1")
    )

    assert len(first["items"]) < 500
    for reached in (found, narrow):
        assert len(reached) == len(written)
        assert set(reached) == written


async def test_a_page_ends_at_500_items_and_cursors_reach_the_rest_once(
    thread: ThreadScene, connection: AsyncConnection
) -> None:
    tops = [await thread.add_comment() for _ in range(30)]
    rows = [
        {"id": new_id(), "parent_id": top, "post_id": thread.post_id, "author_id": thread.bob}
        for top in tops
        for _ in range(40)
    ]
    await connection.execute(insert(Comment).values(body="x", depth=1), rows)
    update_tops = update(Comment).where(Comment.id.in_(tops))
    await connection.execute(update_tops.values(children_count=40, replies_count=40))

    for sort in ("oldest", "newest"):
        query = f"sort={sort}&branch=50&limit=100"
        page = (await thread.ada.get(f"{thread.path}?{query}")).json()
        listed = [UUID(item["id"]) for item in page["items"] if item["depth"] == 0]
        reached = ids(await fetch_all_items(thread.ada, thread.path, query))

        order = tops if sort == "oldest" else tops[::-1]
        assert len(page["items"]) == 500
        assert listed == order[:13]
        assert page["items"][12 * 41]["replies_cursor"] is not None
        assert page["next_cursor"] is not None
        assert len(reached) == len(set(reached)) == 30 * 41


class TestPolling:
    async def test_oldest_first_polling_returns_later_comments(self, thread: ThreadScene) -> None:
        first = await thread.add_comment()
        page = (await thread.ada.get(thread.path)).json()
        assert page["next_cursor"] is None

        later = await thread.add_comment()
        await thread.add_comment(later)
        newer = (await thread.ada.get(f"{thread.path}?cursor={page['prev_cursor']}")).json()

        assert str(first) == page["items"][0]["id"]
        assert str(later) in [item["id"] for item in newer["items"]]
        assert newer["items"][-1]["depth"] == 1

    async def test_newest_first_polling_returns_every_new_comment_newest_first(
        self, thread: ThreadScene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Negative, so that comments written just now are outside the window.
        monkeypatch.setattr("wxc.db.keyset.SETTLE_WINDOW", timedelta(seconds=-5))
        await thread.add_comment()
        page = (await thread.ada.get(f"{thread.path}?sort=newest")).json()
        later = [await thread.add_comment() for _ in range(3)]
        for comment in later:
            await thread.add_comment(comment)

        polled: list[UUID] = []
        cursor = page["prev_cursor"]
        for _ in range(5):
            query = f"sort=newest&limit=1&cursor={cursor}"
            page = (await thread.ada.get(f"{thread.path}?{query}")).json()
            polled = [UUID(item["id"]) for item in page["items"] if item["depth"] == 0] + polled
            cursor = page["prev_cursor"]

        assert polled == later[::-1]


class TestVisibility:
    @pytest.mark.parametrize("why", ["blocker", "blocked", "suspended"])
    async def test_comments_below_an_invisible_author_are_hidden_but_counted(
        self, thread: ThreadScene, connection: AsyncConnection, why: str
    ) -> None:
        eve = await make_user(connection, suspended_at=clock.now() if why == "suspended" else None)
        top = await thread.add_comment()
        hidden = await thread.add_comment(top, eve)
        below = await thread.add_comment(hidden)
        lowest = await thread.add_comment(below, thread.ada.id)
        if why != "suspended":
            pair = (thread.ada.id, eve) if why == "blocker" else (eve, thread.ada.id)
            await make_block(connection, *pair)

        items = await thread.list_items()

        assert ids(items) == [top]
        assert (items[0]["replies_count"], items[0]["replies_cursor"]) == (1, None)
        assert await thread.comments_count() == 4
        for comment in (hidden, below, lowest):
            for path in (f"/comments/{comment}", f"/comments/{comment}/replies"):
                answer = await thread.ada.get(path)
                assert (answer.status_code, answer.json()["code"]) == (404, "comment_not_found")
        assert (await thread.ada.get(f"/comments/{top}")).json()["replies_cursor"] is None

    async def test_hidden_replies_do_not_count_towards_branch(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        eve = await make_user(connection)
        top = await thread.add_comment()
        for _ in range(3):
            await thread.add_comment(top, eve)
        shown = [await thread.add_comment(top) for _ in range(2)]
        await make_block(connection, thread.ada.id, eve)

        items = await thread.list_items("branch=2")

        assert ids(items) == [top, *shown]
        assert items[0]["replies_cursor"] is None

    async def test_a_comment_under_an_invisible_post_is_not_found(
        self, thread: ThreadScene, connection: AsyncConnection
    ) -> None:
        comment = await make_comment(connection, thread.ada.id, thread.post_id)
        await make_block(connection, thread.bob, thread.ada.id)

        for path in (thread.path, f"/comments/{comment}", f"/comments/{comment}/replies"):
            assert (await thread.ada.get(path)).status_code == 404
        assert (await thread.ada.delete(f"/comments/{comment}")).status_code == 404

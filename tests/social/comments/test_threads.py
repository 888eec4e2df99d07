"""A thread is a flat list in pre-order, in which every comment is reached once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.social.comments.conftest import UNKNOWN, Talk
from tests.support.browser import Browser
from tests.support.factories import make_block, make_comment, make_user

from wxc.core import clock
from wxc.core.ids import new_id
from wxc.models import Comment


def ids(items: list[Any]) -> list[UUID]:
    return [UUID(item["id"]) for item in items]


async def everything(
    browser: Browser, path: str, query: str = "", cursor: str | None = None
) -> list[Any]:
    """All that the cursors lead to, each branch where it belongs."""
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
                found += await everything(browser, replies, cursor=item["replies_cursor"])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_a_thread_is_listed_in_pre_order_with_depths(talk: Talk) -> None:
    first, second = await talk.say(), await talk.say()
    a, b = await talk.say(first), await talk.say(first)
    below = await talk.say(a)

    items = await talk.listed()

    assert ids(items) == [first, a, below, b, second]
    assert [item["depth"] for item in items] == [0, 1, 2, 1, 0]
    assert items[1]["parent_id"] == str(first)
    assert [item["replies_cursor"] for item in items] == [None] * 5
    assert items[0]["author"]["username"] == "bob"


async def test_newest_first_holds_on_every_level(talk: Talk) -> None:
    first, second = await talk.say(), await talk.say()
    a, b = await talk.say(first), await talk.say(first)

    assert ids(await talk.listed("sort=newest")) == [second, first, b, a]


async def test_a_thread_without_comments_is_empty_and_one_of_no_post_unknown(talk: Talk) -> None:
    empty = await talk.ada.get(talk.path)
    unknown = await talk.ada.get(f"/posts/{UNKNOWN}/comments")

    assert empty.json() == {"items": [], "next_cursor": None, "prev_cursor": None}
    assert (unknown.status_code, unknown.json()["code"]) == (404, "post_not_found")


async def test_limit_counts_comments_on_the_post_and_cursors_lead_through_them(talk: Talk) -> None:
    tops = [await talk.say() for _ in range(5)]
    for top in tops:
        await talk.say(top)

    pages, cursor = [], ""
    while cursor is not None:
        page = (await talk.ada.get(f"{talk.path}?limit=2{cursor}")).json()
        pages.append([item["id"] for item in page["items"] if item["depth"] == 0])
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    assert pages == [[str(top) for top in tops[at : at + 2]] for at in (0, 2, 4)]


@pytest.mark.parametrize("sort", ["oldest", "newest"])
async def test_a_branch_that_is_cut_short_goes_on_at_its_replies_cursor(
    talk: Talk, sort: str
) -> None:
    top = await talk.say()
    replies = [await talk.say(top) for _ in range(5)]
    order = replies if sort == "oldest" else replies[::-1]

    first, *listed = await talk.listed(f"sort={sort}&branch=2")
    rest = await everything(
        talk.ada, f"/comments/{top}/replies", "limit=1", first["replies_cursor"]
    )

    assert ids(listed) == order[:2]
    assert ids(rest) == order[2:]


async def test_depth_bounds_levels_and_what_is_below_is_at_a_cursor(talk: Talk) -> None:
    said = await talk.chain(5)

    items = await talk.listed("depth=2")
    flat = await talk.listed("depth=0")

    assert ids(items) == said[:3]
    assert [item["replies_cursor"] is None for item in items] == [True, True, False]
    below = await talk.ada.get(f"/comments/{said[2]}/replies?cursor={items[2]['replies_cursor']}")
    assert ids(below.json()["items"]) == said[3:]
    assert ids(flat) == said[:1]
    assert flat[0]["replies_cursor"] is not None


async def test_replies_are_a_thread_of_their_own(talk: Talk) -> None:
    said = await talk.chain(4)
    await talk.say()

    answer = await talk.ada.get(f"/comments/{said[0]}/replies?sort=newest&depth=1")

    assert ids(answer.json()["items"]) == said[1:3]
    unknown = await talk.ada.get(f"/comments/{UNKNOWN}/replies")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "comment_not_found")


async def test_a_replies_cursor_carries_its_shape_and_belongs_to_one_comment(talk: Talk) -> None:
    top, other = await talk.say(), await talk.say()
    replies = [await talk.say(top) for _ in range(4)]
    await talk.say(replies[0])
    for _ in range(2):
        await talk.say(other)
    _, item = await talk.listed("sort=newest&depth=0&branch=1")
    cursor = item["replies_cursor"]

    answer = await talk.ada.get(f"/comments/{top}/replies?sort=oldest&cursor={cursor}")
    elsewhere = await talk.ada.get(f"/comments/{other}/replies?cursor={cursor}")

    assert item["id"] == str(top)
    assert ids(answer.json()["items"]) == replies[::-1]  # newest first, and no level below
    assert len(cursor) <= 256
    for wrong in (elsewhere, await talk.ada.get(f"{talk.path}?cursor={cursor}")):
        assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("other", ["sort=newest", "depth=1", "branch=2"])
async def test_a_cursor_of_a_thread_holds_for_its_own_shape_only(talk: Talk, other: str) -> None:
    for _ in range(2):
        await talk.say()
    cursor = (await talk.ada.get(f"{talk.path}?limit=1")).json()["next_cursor"]

    answer = await talk.ada.get(f"{talk.path}?{other}&cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("query", ["sort=best", "depth=-1", "depth=21", "branch=0", "branch=51"])
async def test_a_shape_out_of_bounds_is_refused(talk: Talk, query: str) -> None:
    answer = await talk.ada.get(f"{talk.path}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize("sort", ["oldest", "newest"])
async def test_an_answer_has_500_items_at_most_and_the_cursors_lead_to_the_rest_once(
    talk: Talk, connection: AsyncConnection, sort: str
) -> None:
    tops = [await talk.say() for _ in range(4)]
    values = [
        {"id": new_id(), "parent_id": top, "post_id": talk.post_id, "author_id": talk.bob}
        for top in (tops[0], *tops[1:2] * 20, *tops[2:3] * 48)
        for _ in range(12 if top != tops[0] else 3)
    ]
    grandchildren = [
        {**values[at], "id": new_id(), "parent_id": values[at]["id"], "depth": 2}
        for at in range(10)
        for _ in range(9)
    ]
    children = [{**one, "depth": 1} for one in values]
    for rows in (children, grandchildren):
        await connection.execute(insert(Comment).values(body="x"), rows)
    await connection.exec_driver_sql(
        "UPDATE comments SET children_count = n, replies_count = n FROM (SELECT parent_id, "
        "count(*) n FROM comments GROUP BY 1) c WHERE c.parent_id = comments.id"
    )
    said = {*tops, *(one["id"] for one in (*children, *grandchildren))}

    first = (await talk.ada.get(f"{talk.path}?sort={sort}&depth=20&branch=50")).json()
    found = ids(await everything(talk.ada, talk.path, f"sort={sort}&depth=20&branch=50"))
    narrow = ids(await everything(talk.ada, talk.path, f"sort={sort}&depth=1&branch=3&limit=1"))

    assert len(first["items"]) < 500
    for reached in (found, narrow):
        assert len(reached) == len(said)
        assert set(reached) == said


async def test_a_page_that_is_full_ends_there_and_goes_on_at_the_next_comment(
    talk: Talk, connection: AsyncConnection
) -> None:
    tops = [await talk.say() for _ in range(30)]
    rows = [
        {"id": new_id(), "parent_id": top, "post_id": talk.post_id, "author_id": talk.bob}
        for top in tops
        for _ in range(40)
    ]
    await connection.execute(insert(Comment).values(body="x", depth=1), rows)
    counted = update(Comment).where(Comment.id.in_(tops))
    await connection.execute(counted.values(children_count=40, replies_count=40))

    for sort in ("oldest", "newest"):
        query = f"sort={sort}&branch=50&limit=100"
        page = (await talk.ada.get(f"{talk.path}?{query}")).json()
        listed = [UUID(item["id"]) for item in page["items"] if item["depth"] == 0]
        reached = ids(await everything(talk.ada, talk.path, query))

        order = tops if sort == "oldest" else tops[::-1]
        assert len(page["items"]) == 500
        assert listed == order[:13]
        assert page["items"][12 * 41]["replies_cursor"] is not None
        assert page["next_cursor"] is not None
        assert len(reached) == len(set(reached)) == 30 * 41


class TestPolling:
    async def test_oldest_first_the_end_tells_what_comes_next(self, talk: Talk) -> None:
        first = await talk.say()
        page = (await talk.ada.get(talk.path)).json()
        assert page["next_cursor"] is None

        later = await talk.say()
        await talk.say(later)
        newer = (await talk.ada.get(f"{talk.path}?cursor={page['prev_cursor']}")).json()

        assert str(first) == page["items"][0]["id"]
        assert str(later) in [item["id"] for item in newer["items"]]
        assert newer["items"][-1]["depth"] == 1

    async def test_newest_first_polling_shows_the_newest_on_top_and_misses_none(
        self, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled = timedelta(seconds=-5)  # as if all were committed long ago
        monkeypatch.setattr("wxc.db.keyset.SETTLE_WINDOW", settled)
        await talk.say()
        page = (await talk.ada.get(f"{talk.path}?sort=newest")).json()
        later = [await talk.say() for _ in range(3)]
        for one in later:
            await talk.say(one)

        seen: list[UUID] = []
        cursor = page["prev_cursor"]
        for _ in range(5):
            query = f"sort=newest&limit=1&cursor={cursor}"
            page = (await talk.ada.get(f"{talk.path}?{query}")).json()
            seen = [UUID(one["id"]) for one in page["items"] if one["depth"] == 0] + seen
            cursor = page["prev_cursor"]

        assert seen == later[::-1]


class TestSight:
    @pytest.mark.parametrize("why", ["blocker", "blocked", "suspended"])
    async def test_what_hides_a_comment_hides_all_below_it_and_is_still_counted(
        self, talk: Talk, connection: AsyncConnection, why: str
    ) -> None:
        eve = await make_user(connection, suspended_at=clock.now() if why == "suspended" else None)
        top = await talk.say()
        hidden = await talk.say(top, eve)
        below = await talk.say(hidden)
        lowest = await talk.say(below, talk.ada.id)
        if why != "suspended":
            pair = (talk.ada.id, eve) if why == "blocker" else (eve, talk.ada.id)
            await make_block(connection, *pair)

        items = await talk.listed()

        assert ids(items) == [top]
        assert (items[0]["replies_count"], items[0]["replies_cursor"]) == (1, None)
        assert await talk.count() == 4
        for one in (hidden, below, lowest):
            for path in (f"/comments/{one}", f"/comments/{one}/replies"):
                answer = await talk.ada.get(path)
                assert (answer.status_code, answer.json()["code"]) == (404, "comment_not_found")
        assert (await talk.ada.get(f"/comments/{top}")).json()["replies_cursor"] is None

    async def test_hidden_replies_do_not_use_up_a_branch(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        eve = await make_user(connection)
        top = await talk.say()
        for _ in range(3):
            await talk.say(top, eve)
        shown = [await talk.say(top) for _ in range(2)]
        await make_block(connection, talk.ada.id, eve)

        items = await talk.listed("branch=2")

        assert ids(items) == [top, *shown]
        assert items[0]["replies_cursor"] is None

    async def test_a_comment_under_an_invisible_post_is_unknown(
        self, talk: Talk, connection: AsyncConnection
    ) -> None:
        comment = await make_comment(connection, talk.ada.id, talk.post_id)
        await make_block(connection, talk.bob, talk.ada.id)

        for path in (talk.path, f"/comments/{comment}", f"/comments/{comment}/replies"):
            assert (await talk.ada.get(path)).status_code == 404
        assert (await talk.ada.delete(f"/comments/{comment}")).status_code == 404

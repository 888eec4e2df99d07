"""A block takes away no right to report what could be seen before it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.moderation.reports.test_router import assert_unknown, report
from tests.support.browser import Browser
from tests.support.factories import make_comment, make_exchange, make_post, make_user

from wxc.core import clock
from wxc.models import User

KINDS = ["user", "post", "comment", "exchange", "reply"]
Make = Callable[[str], Awaitable[tuple[str, UUID]]]


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def bob(member: Member) -> Browser:
    return await member("bob")


@pytest.fixture
def make(ada: Browser, bob: Browser, connection: AsyncConnection) -> Make:
    """Makes something of Bob's; returns the kind of target and the id."""

    async def make(kind: str) -> tuple[str, UUID]:
        if kind == "user":
            return kind, bob.id
        if kind == "exchange":
            return kind, await make_exchange(connection, bob.id)
        post = await make_post(connection, bob.id)
        if kind == "post":
            return kind, post
        comment = await make_comment(connection, bob.id, post)
        if kind == "reply":
            comment = await make_comment(connection, await make_user(connection), post, comment)
        return "comment", comment

    return make


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("blocker", ["reporter", "author", "both"])
async def test_what_was_there_before_the_block_can_be_reported(
    ada: Browser, bob: Browser, make: Make, kind: str, blocker: str
) -> None:
    target = await make(kind)
    if blocker != "author":
        assert (await ada.post("/users/bob/block")).status_code == 200
    if blocker != "reporter":
        assert (await bob.post("/users/ada/block")).is_success or blocker == "both"

    answer = await report(ada, *target)

    assert answer.status_code == 201, answer.text
    assert (await report(ada, *target)).json()["id"] == answer.json()["id"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "user"])
@pytest.mark.parametrize("blocker", ["reporter", "author"])
async def test_what_was_written_after_the_block_stays_unknown(
    ada: Browser, bob: Browser, make: Make, kind: str, blocker: str
) -> None:
    if blocker == "reporter":
        await ada.post("/users/bob/block")
    else:
        await bob.post("/users/ada/block")

    assert_unknown(await report(ada, *await make(kind)))


async def test_a_comment_after_the_block_on_a_post_before_it_stays_unknown(
    ada: Browser, bob: Browser, connection: AsyncConnection
) -> None:
    """Also the reply of a third to something that the block hides."""
    post = await make_post(connection, bob.id)
    own = await make_post(connection, ada.id)
    hidden = await make_comment(connection, bob.id, own)
    await bob.post("/users/ada/block")
    eve = await make_user(connection)

    for comment in (
        await make_comment(connection, bob.id, own),
        await make_comment(connection, eve, post),
        await make_comment(connection, eve, own, hidden),
    ):
        assert_unknown(await report(ada, "comment", comment))


async def test_a_block_of_others_does_not_matter(
    ada: Browser, bob: Browser, make: Make, member: Member
) -> None:
    await (await member("eve")).post("/users/bob/block")

    assert (await report(ada, *await make("post"))).status_code == 201


@pytest.mark.parametrize("kind", ["user", "post", "comment", "exchange"])
async def test_what_a_suspended_member_wrote_before_a_block_stays_unknown(
    ada: Browser, bob: Browser, make: Make, kind: str, connection: AsyncConnection
) -> None:
    target = await make(kind)
    await ada.post("/users/bob/block")
    await connection.execute(update(User).where(User.id == bob.id).values(suspended_at=clock.now()))

    assert_unknown(await report(ada, *target))

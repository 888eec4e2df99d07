"""What is left of a deleted account goes in batches, whoever dies in between."""

from datetime import timedelta
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.deletion.conftest import Drift, leave
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import (
    PASSWORD,
    make_block,
    make_follow,
    make_like,
    make_mute,
    make_post,
    make_user,
)
from tests.support.mail import Later

from wxc.accounts.auth.tokens import LEEWAY
from wxc.accounts.deletion import service
from wxc.accounts.deletion.repository import accounts, owned
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.db.prepared import PreparedQuery
from wxc.models import Block, Follow, Mute, Post, PostLike, RowId, Session, UsedUsername, User
from wxc.worker.account_deletion import Eraser


class Killed(BaseException):
    """The process is no more."""


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_EDGES", 3)
    monkeypatch.setattr(service, "_MAX_ROWS", 2)


@pytest.fixture
def eraser(config: Config, database: Database) -> Eraser:
    return Eraser(config, database)


@pytest.fixture
async def known(ada: Browser, connection: AsyncConnection) -> Browser:
    """Ada with five of everything."""
    for _ in range(5):
        other = await make_user(connection)
        own, theirs = await make_post(connection, ada.id), await make_post(connection, other)
        await make_follow(connection, ada.id, other)
        await make_follow(connection, other, ada.id)
        await make_like(connection, ada.id, theirs)
        await make_like(connection, other, own)
        await make_block(connection, other, ada.id)
        await make_mute(connection, ada.id, other)
    return ada


async def left_of(connection: AsyncConnection, user_id: UUID) -> dict[str, int]:
    """How many rows there are of each kind."""
    kinds = {
        "follows": (Follow.follower_id == user_id) | (Follow.followed_id == user_id),
        "likes": PostLike.user_id == user_id,
        "posts": Post.author_id == user_id,
        "blocks": Block.blocked_id == user_id,
        "mutes": Mute.muter_id == user_id,
        "sessions": Session.user_id == user_id,
        "users": User.id == user_id,
        "names": UsedUsername.user_id == user_id,
    }
    return {
        name: await connection.scalar(select(func.count()).where(rows)) or 0
        for name, rows in kinds.items()
    }


GONE = {"follows": 0, "likes": 0, "posts": 0, "blocks": 0, "mutes": 0}


async def test_the_request_takes_what_it_may_and_the_batches_the_rest_without_any_drift(
    known: Browser, eraser: Eraser, connection: AsyncConnection, drift: Drift
) -> None:
    assert await leave(known) == 204
    left = await left_of(connection, known.id)
    assert left["follows"] + left["likes"] == 15 - 3

    batches = 0
    while await eraser.work_once():
        batches += 1
        assert await drift() == 0
        after = await left_of(connection, known.id)
        assert sum(left.values()) - sum(after.values()) <= 3
        left = after

    assert left == GONE | {"sessions": 1, "users": 1, "names": 1}
    assert batches == 4 + 3 + 3 + 3 + 3 + 1  # edges, likes of posts, posts, blocks, mutes; the look


async def test_the_row_stays_as_long_as_a_session_of_it_could_be_shown_and_the_name_for_ever(
    ada: Browser,
    eraser: Eraser,
    config: Config,
    connection: AsyncConnection,
    later: Later,
    stranger: Browser,
) -> None:
    later(timedelta())
    assert await leave(ada) == 204
    assert [await eraser.work_once(), await eraser.work_once()] == [True, False]
    span = timedelta(seconds=config.access_token_lifetime) + 2 * LEEWAY

    later(span - timedelta(seconds=1))
    assert await eraser.work_once() is False
    assert (await left_of(connection, ada.id))["sessions"] == 1
    later(timedelta(seconds=1))
    assert [await eraser.work_once(), await eraser.work_once()] == [True, False]

    assert await left_of(connection, ada.id) == GONE | {"sessions": 0, "users": 0, "names": 1}
    account = {"username": "Ada", "email": "ada@example.com", "password": PASSWORD}
    answer = await stranger.post("/register", json=account)
    assert answer.json()["code"] == "username_taken"


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (accounts, "claim_due_account"),
        (owned, "delete_owned"),
        (accounts, "postpone_account"),
    ],
)
async def test_who_comes_after_a_crash_goes_on(
    known: Browser,
    eraser: Eraser,
    connection: AsyncConnection,
    drift: Drift,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    step: str,
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Killed

    later(timedelta())
    assert await leave(known) == 204
    for _ in range(4):
        with monkeypatch.context() as patch:
            patch.setattr(module, step, die)
            with pytest.raises(Killed):
                await _work_to_the_end(eraser)
        assert await drift() == 0
        later(timedelta(seconds=15))
        assert await eraser.work_once()

    while await eraser.work_once():
        assert await drift() == 0
    assert (await left_of(connection, known.id)).items() >= GONE.items()


async def _work_to_the_end(eraser: Eraser) -> None:
    while await eraser.work_once():
        pass


async def test_an_account_that_fails_does_not_hold_up_the_others(
    known: Browser,
    member: Member,
    eraser: Eraser,
    connection: AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bob = await member("bob")
    await make_post(connection, bob.id)
    assert [await leave(known), await leave(bob)] == [204, 204]
    delete_owned = owned.delete_owned

    def fail_for_one(user_id: UUID, **choice: Any) -> PreparedQuery[RowId]:
        if user_id == known.id:
            raise ZeroDivisionError
        return delete_owned(user_id, **choice)

    monkeypatch.setattr(owned, "delete_owned", fail_for_one)
    failures = 0
    for _ in range(20):
        try:
            await eraser.work_once()
        except ZeroDivisionError:
            failures += 1

    assert failures == 1  # its lease has not ended
    assert (await left_of(connection, bob.id))["posts"] == 0


async def test_an_edge_that_is_gone_by_then_is_not_counted_off_twice(
    known: Browser,
    database: Database,
    connection: AsyncConnection,
    drift: Drift,
) -> None:
    async with database.transaction() as session:
        edges = await service.lock_edges(session, known.id, 100)
        await service.delete_edges(session, edges)
        await service.delete_edges(session, edges)

    assert await drift() == 0
    assert (await left_of(connection, known.id))["follows"] == 0

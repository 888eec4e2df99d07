"""The worker deletes the rows of deleted accounts in batches, also after crashes."""

from datetime import timedelta
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.deletion.conftest import Drift, ada, delete_account, drift
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
from tests.support.mail import Later, database, later

from wxc.accounts.auth.tokens import LEEWAY
from wxc.accounts.deletion import service
from wxc.accounts.deletion.repository import accounts, owned
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.db.prepared import PreparedQuery
from wxc.models import Block, Follow, Mute, Post, PostLike, RowId, Session, UsedUsername, User
from wxc.worker.account_deletion import AccountPurger

__all__ = ["ada", "database", "drift", "later"]


class Killed(BaseException):
    """Simulates the death of the process."""


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_EDGES", 3)
    monkeypatch.setattr(service, "_MAX_ROWS", 2)


@pytest.fixture
def purger(config: Config, database: Database) -> AccountPurger:
    return AccountPurger(config, database)


@pytest.fixture
async def popular_ada(ada: Browser, connection: AsyncConnection) -> Browser:
    """Ada with five follows, likes, posts, blocks and mutes."""
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


async def row_counts(connection: AsyncConnection, user_id: UUID) -> dict[str, int]:
    """The number of the user's rows by kind."""
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


NO_ROWS = {"follows": 0, "likes": 0, "posts": 0, "blocks": 0, "mutes": 0}


async def test_request_and_batches_delete_all_rows_and_keep_counters_right(
    popular_ada: Browser, purger: AccountPurger, connection: AsyncConnection, drift: Drift
) -> None:
    assert await delete_account(popular_ada) == 204
    remaining = await row_counts(connection, popular_ada.id)
    assert remaining["follows"] + remaining["likes"] == 15 - 3

    batches = 0
    while await purger.run_once():
        batches += 1
        assert await drift() == 0
        after = await row_counts(connection, popular_ada.id)
        assert sum(remaining.values()) - sum(after.values()) <= 3
        remaining = after

    assert remaining == NO_ROWS | {"sessions": 1, "users": 1, "names": 1}
    # Edges, likes of posts, posts, blocks, mutes; the last batch finds no more.
    assert batches == 4 + 3 + 3 + 3 + 3 + 1


async def test_account_row_outlives_its_tokens_and_the_username_stays_reserved(
    ada: Browser,
    purger: AccountPurger,
    config: Config,
    connection: AsyncConnection,
    later: Later,
    stranger: Browser,
) -> None:
    later(timedelta())
    assert await delete_account(ada) == 204
    assert [await purger.run_once(), await purger.run_once()] == [True, False]
    span = timedelta(seconds=config.access_token_lifetime) + 2 * LEEWAY

    later(span - timedelta(seconds=1))
    assert await purger.run_once() is False
    assert (await row_counts(connection, ada.id))["sessions"] == 1
    later(timedelta(seconds=1))
    assert [await purger.run_once(), await purger.run_once()] == [True, False]

    assert await row_counts(connection, ada.id) == NO_ROWS | {"sessions": 0, "users": 0, "names": 1}
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
async def test_next_batch_continues_after_a_crash(
    popular_ada: Browser,
    purger: AccountPurger,
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
    assert await delete_account(popular_ada) == 204
    for _ in range(4):
        with monkeypatch.context() as patch:
            patch.setattr(module, step, die)
            with pytest.raises(Killed):
                await _run_to_completion(purger)
        assert await drift() == 0
        later(timedelta(seconds=15))
        assert await purger.run_once()

    while await purger.run_once():
        assert await drift() == 0
    assert (await row_counts(connection, popular_ada.id)).items() >= NO_ROWS.items()


async def _run_to_completion(purger: AccountPurger) -> None:
    while await purger.run_once():
        pass


async def test_failing_account_does_not_block_the_others(
    popular_ada: Browser,
    member: Member,
    purger: AccountPurger,
    connection: AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bob = await member("bob")
    await make_post(connection, bob.id)
    assert [await delete_account(popular_ada), await delete_account(bob)] == [204, 204]
    delete_owned = owned.delete_owned

    def fail_for_ada(user_id: UUID, **choice: Any) -> PreparedQuery[RowId]:
        if user_id == popular_ada.id:
            raise ZeroDivisionError
        return delete_owned(user_id, **choice)

    monkeypatch.setattr(owned, "delete_owned", fail_for_ada)
    failures = 0
    for _ in range(20):
        try:
            await purger.run_once()
        except ZeroDivisionError:
            failures += 1

    assert failures == 1  # its lease has not ended
    assert (await row_counts(connection, bob.id))["posts"] == 0


async def test_deleted_edge_is_not_subtracted_twice(
    popular_ada: Browser,
    database: Database,
    connection: AsyncConnection,
    drift: Drift,
) -> None:
    async with database.transaction() as session:
        edges = await service.lock_edges(session, popular_ada.id, 100)
        await service.delete_edges(session, edges)
        await service.delete_edges(session, edges)

    assert await drift() == 0
    assert (await row_counts(connection, popular_ada.id))["follows"] == 0

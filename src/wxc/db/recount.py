"""Compares counters with the rows they count, and repairs wrong ones.

A counter changes in the transaction of its rows, so a statement sees both consistently. Each batch
of ids is one statement; a repair locks the row and counts again.
"""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple
from uuid import UUID

import typer
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.core.config import Config
from wxc.db.database import Database
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Comment, CommentLike, Follow, Post, PostLike, RowId, User

BATCH_SIZE = 500
CountedTable = type[User] | type[Post] | type[Comment]
_reply = aliased(Comment)


@dataclass
class Drift:
    """A counter, the number of rows in which it is wrong, and the number repaired."""

    counter: str
    drifted: int = 0
    repaired: int = 0


class CountedRow(NamedTuple):
    id: UUID
    is_wrong: list[bool]
    """One value per counter, in the order of `COUNTERS`."""


def _count_where(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).where(*conditions).scalar_subquery()


COUNTERS: dict[CountedTable, dict[str, ColumnElement[int]]] = {
    User: {
        "followers_count": _count_where(Follow.followed_id == User.id),
        "following_count": _count_where(Follow.follower_id == User.id),
        "posts_count": _count_where(Post.author_id == User.id),
    },
    Post: {
        "likes_count": _count_where(PostLike.post_id == Post.id),
        "comments_count": _count_where(Comment.post_id == Post.id, Comment.deleted_at.is_(None)),
    },
    Comment: {
        "likes_count": _count_where(CommentLike.comment_id == Comment.id),
        "replies_count": _count_where(_reply.parent_id == Comment.id, _reply.deleted_at.is_(None)),
        "children_count": _count_where(_reply.parent_id == Comment.id),
    },
}


async def recount(config: Config, *, repair: bool, hidden: bool = True) -> list[Drift]:
    """Compare every counter with its rows; with `repair`, correct those that are wrong.

    Unless `hidden`, a progress bar is written to standard error.
    """
    database = Database(config)
    try:
        return await _recount_tables(database, repair=repair, hidden=hidden)
    finally:
        await database.close()


async def _recount_tables(database: Database, *, repair: bool, hidden: bool) -> list[Drift]:
    drifts = []
    with typer.progressbar(COUNTERS, label="Counting", hidden=hidden, file=sys.stderr) as bar:
        for table in bar:
            drifts += await _recount_table(database, table, repair=repair)
    return drifts


async def _recount_table(database: Database, table: CountedTable, *, repair: bool) -> list[Drift]:
    drifts = [Drift(f"{table.__tablename__}.{name}") for name in COUNTERS[table]]
    async for row in _drifted_rows(database, table):
        if repair:
            await _repair(database, table, row.id)
        for drift in compress(drifts, row.is_wrong):
            drift.drifted += 1
            drift.repaired += repair
    return drifts


async def _drifted_rows(database: Database, table: CountedTable) -> AsyncIterator[CountedRow]:
    """Yield rows with a wrong counter, by id; holds no connection during a repair."""
    last = UUID(int=0)
    while True:
        rows = await database.primary.fetch(_counted_rows(last, table=table, limit=BATCH_SIZE))
        for row in filter(lambda row: any(row.is_wrong), rows):
            yield row
        if len(rows) < BATCH_SIZE:
            return
        last = rows[-1].id


async def _repair(database: Database, table: CountedTable, row_id: UUID) -> None:
    """Lock the row against concurrent changes, then count in a statement that sees all rows."""
    async with database.transaction() as session:
        await session.fetch_one(_lock_row(row_id, table=table))
        await session.fetch_one(_update_counters(row_id, table=table))


@prepared(CountedRow)
def _counted_rows(last: UUID, *, table: CountedTable, limit: int) -> AnySelect:
    is_wrong = [getattr(table, name) != count for name, count in COUNTERS[table].items()]
    return (
        select(table.id, array(is_wrong).label("is_wrong"))
        .where(table.id > last)
        .order_by(table.id)
        .limit(limit)
    )


@prepared(RowId)
def _lock_row(row_id: UUID, *, table: CountedTable) -> AnySelect:
    return select(table.id).where(table.id == row_id).with_for_update(key_share=True)


@prepared(RowId)
def _update_counters(row_id: UUID, *, table: CountedTable) -> ReturningUpdate[UUID]:
    return update(table).where(table.id == row_id).values(COUNTERS[table]).returning(table.id)

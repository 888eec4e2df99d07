"""Counters against the rows they count: what has drifted apart, and putting it right.

A counter moves in the transaction of its rows, so one statement sees both as they belong together.
Batches go by id, each a statement of its own; a repair locks the row that it counts anew.
"""

import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import aliased

from wxc.core.config import Config
from wxc.core.database import AnyRow, Database
from wxc.models import Comment, CommentLike, Follow, Post, PostLike, User

BATCH = 500
Counted = type[User] | type[Post] | type[Comment]
_reply = aliased(Comment)


@dataclass
class Drift:
    """One counter: in how many rows it is wrong, and how many of those were put right."""

    counter: str
    drifted: int = 0
    repaired: int = 0


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).where(*conditions).scalar_subquery()


COUNTERS: dict[Counted, dict[str, ColumnElement[int]]] = {
    User: {
        "followers_count": _number(Follow.followed_id == User.id),
        "following_count": _number(Follow.follower_id == User.id),
        "posts_count": _number(Post.author_id == User.id),
    },
    Post: {
        "likes_count": _number(PostLike.post_id == Post.id),
        "comments_count": _number(Comment.post_id == Post.id, Comment.deleted_at.is_(None)),
    },
    Comment: {
        "likes_count": _number(CommentLike.comment_id == Comment.id),
        "replies_count": _number(_reply.parent_id == Comment.id, _reply.deleted_at.is_(None)),
        "children_count": _number(_reply.parent_id == Comment.id),
    },
}


async def recount(config: Config, *, repair: bool, hidden: bool = True) -> list[Drift]:
    """Compare every counter with its rows; with `repair`, put right what is wrong.

    Unless it is `hidden`, a bar on standard error tells a person how far it is.
    """
    database, drifts = Database(config), []
    try:
        with typer.progressbar(COUNTERS, label="Counting", hidden=hidden, file=sys.stderr) as bar:
            for table in bar:
                drifts += await _recount_table(database, table, repair=repair)
        return drifts
    finally:
        await database.close()


def as_json(drifts: list[Drift]) -> list[dict[str, Any]]:
    """The drifts for a program."""
    return [asdict(drift) for drift in drifts]


async def _recount_table(database: Database, table: Counted, *, repair: bool) -> list[Drift]:
    drifts = {name: Drift(f"{table.__tablename__}.{name}") for name in COUNTERS[table]}
    async for row in _drifted(database, table):
        if repair:
            await _repair(database, table, row.id)
        for name, drift in drifts.items():
            is_wrong = getattr(row, name) != getattr(row, f"true_{name}")
            drift.drifted += is_wrong
            drift.repaired += is_wrong and repair
    return list(drifts.values())


async def _drifted(database: Database, table: Counted) -> AsyncIterator[AnyRow]:
    """The rows with a wrong counter, by id; no connection is held while one is repaired."""
    last = UUID(int=0)
    while True:
        async with database.guarding() as reader:
            rows = (await reader.execute(_batch(table, last))).all()
        for row in rows:
            if any(getattr(row, name) != getattr(row, f"true_{name}") for name in COUNTERS[table]):
                yield row
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def _batch(table: Counted, last: UUID) -> Any:  # noqa: ANN401 - a SELECT of varying columns
    counters = COUNTERS[table].items()
    return (
        select(
            table.id,
            *(getattr(table, name) for name, _ in counters),
            *(number.label(f"true_{name}") for name, number in counters),
        )
        .where(table.id > last)
        .order_by(table.id)
        .limit(BATCH)
    )


async def _repair(database: Database, table: Counted, row_id: UUID) -> None:
    """Lock the row, so that nobody counts meanwhile; then count, in a statement that sees all."""
    async with database.transaction() as session:
        await session.execute(
            select(table.id).where(table.id == row_id).with_for_update(key_share=True)
        )
        statement = update(table).where(table.id == row_id).values(COUNTERS[table])
        await session.execute(statement.execution_options(synchronize_session=False))

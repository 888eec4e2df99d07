"""Rows of the account that are not counted by rows of other accounts."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, true
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningDelete

from wxc.db.keyset import AnySelect, IdColumn
from wxc.db.prepared import prepared
from wxc.models import (
    Block,
    Comment,
    Exchange,
    ExchangeConfirmation,
    ExchangeRate,
    Mute,
    Notification,
    Post,
    PostLike,
    RateEvent,
    RowId,
)

ExchangeTable = type[RateEvent] | type[ExchangeConfirmation] | type[ExchangeRate]
OwnedTable = (
    type[Block]
    | type[Comment]
    | type[Mute]
    | type[Notification]
    | type[Post]
    | type[PostLike]
    | type[Exchange]
    | ExchangeTable
)
SelectIds = Callable[[UUID, int], AnySelect]
"""Builds a query from an account's id and a maximum number of rows; it selects row ids."""


@dataclass(frozen=True, eq=False, slots=True)
class OwnedRows:
    table: OwnedTable
    select_ids: SelectIds


@prepared(RowId)
def delete_owned(user_id: UUID, *, rows: OwnedRows, limit: int) -> ReturningDelete[UUID]:
    table = rows.table
    return delete(table).where(table.id.in_(rows.select_ids(user_id, limit))).returning(table.id)


def _likes_of_own_posts(user_id: UUID, limit: int) -> AnySelect:
    """The lateral join reads the likes of the account's own posts only."""
    likes = (
        select(PostLike.id)
        .where(PostLike.post_id == Post.id)
        .order_by(PostLike.id)
        .limit(limit)
        .lateral("likes")
    )
    return (
        select(likes.c.id)
        .select_from(Post)
        .join(likes, true())
        .where(Post.author_id == user_id)
        .limit(limit)
    )


def _comments_on_own_posts(user_id: UUID, limit: int) -> AnySelect:
    """Newest first, so that replies are deleted before their parents."""
    comments = (
        select(Comment.id)
        .where(Comment.post_id == Post.id)
        .order_by(Comment.id.desc())
        .limit(limit)
        .lateral("comments_on_post")
    )
    return (
        select(comments.c.id)
        .select_from(Post)
        .join(comments, true())
        .where(Post.author_id == user_id)
        .limit(limit)
    )


def _owned_by(
    table: OwnedTable, owner_id: IdColumn | InstrumentedAttribute[UUID | None]
) -> OwnedRows:
    def select_ids(user_id: UUID, limit: int) -> AnySelect:
        return select(table.id).where(owner_id == user_id).order_by(table.id).limit(limit)

    return OwnedRows(table, select_ids)


def _of_own_exchange(table: ExchangeTable) -> OwnedRows:
    def select_ids(user_id: UUID, limit: int) -> AnySelect:
        exchanges = select(Exchange.id).where(Exchange.owner_id == user_id)
        return select(table.id).where(table.exchange_id.in_(exchanges)).limit(limit)

    return OwnedRows(table, select_ids)


OWNED_ROWS: tuple[OwnedRows, ...] = (
    OwnedRows(PostLike, _likes_of_own_posts),
    OwnedRows(Comment, _comments_on_own_posts),
    _owned_by(Post, Post.author_id),
    _of_own_exchange(RateEvent),
    _of_own_exchange(ExchangeConfirmation),
    _of_own_exchange(ExchangeRate),
    _owned_by(Exchange, Exchange.owner_id),
    _owned_by(Block, Block.blocker_id),
    _owned_by(Block, Block.blocked_id),
    _owned_by(Mute, Mute.muter_id),
    _owned_by(Mute, Mute.muted_id),
    _owned_by(Notification, Notification.recipient_id),
    _owned_by(Notification, Notification.actor_id),
)
"""In the order of deletion: children before parents, because a cascade has no row limit.

Counters of the account's own posts are not updated, because these posts are hidden.
"""

"""Edges: likes and follows, which are counted by rows of other accounts.

The counting rows are locked in the order of their ids before an edge is deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CompoundSelect, any_, delete, func, literal, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import Comment, CommentLike, Follow, Post, PostLike, RowId, User

CountingTable = type[User] | type[Post] | type[Comment]


@dataclass(frozen=True, eq=False, slots=True)
class LikeTable:
    like: type[PostLike] | type[CommentLike]
    subject: type[Post] | type[Comment]
    """The table of the liked rows."""
    subject_id: InstrumentedAttribute[UUID]


POST_LIKES = LikeTable(PostLike, Post, PostLike.post_id)
COMMENT_LIKES = LikeTable(CommentLike, Comment, CommentLike.comment_id)


class LikeRow(NamedTuple):
    id: UUID
    subject_id: UUID


class FollowRow(NamedTuple):
    id: UUID
    follower_id: UUID
    followed_id: UUID


@prepared(LikeRow)
def likes_by(user_id: UUID, limit: int, *, table: LikeTable) -> AnySelect:
    """Ordered like the index on user and subject, so that the planner uses it."""
    return (
        select(table.like.id, table.subject_id.label("subject_id"))
        .where(table.like.user_id == user_id)
        .order_by(table.subject_id)
        .limit(bind(limit))
    )


@prepared(RowId)
def lock_rows(ids: Sequence[UUID], *, table: CountingTable) -> AnySelect:
    """Lock rows that count edges, in the order of ids; inserting an edge locks them too."""
    return (
        select(table.id)
        .where(table.id == any_(bind(ids)))
        .order_by(table.id)
        .with_for_update(key_share=True)
    )


@prepared(RowId)
def delete_likes(ids: Sequence[UUID], *, table: LikeTable) -> ReturningUpdate[UUID]:
    """Delete the likes that still exist and decrement `likes_count` of their subjects.

    Each subject may occur once only.
    """
    deleted = (
        delete(table.like)
        .where(table.like.id == any_(bind(ids)))
        .returning(table.subject_id.label("subject_id"))
        .cte("deleted")
    )
    subject = table.subject
    return (
        update(subject)
        .where(subject.id == deleted.c.subject_id)
        .values(likes_count=subject.likes_count - 1)
        .returning(subject.id)
    )


@prepared(FollowRow)
def follows_of(user_id: UUID, limit: int) -> CompoundSelect[*tuple[Any, ...]]:
    """The account's follows, in both directions."""
    columns = (Follow.id, Follow.follower_id, Follow.followed_id)
    halves = (
        select(*columns).where(end == user_id).order_by(Follow.id).limit(bind(limit)).subquery()
        for end in (Follow.follower_id, Follow.followed_id)
    )
    return union_all(*map(select, halves)).limit(bind(limit))


@prepared(RowId)
def delete_follows(ids: Sequence[UUID]) -> ReturningUpdate[UUID]:
    """Delete the follows that still exist and update the counters of both users."""
    deleted = (
        delete(Follow)
        .where(Follow.id == any_(bind(ids)))
        .returning(Follow.follower_id, Follow.followed_id)
        .cte("deleted")
    )
    ends = union_all(
        select(
            deleted.c.followed_id.label("id"),
            literal(1).label("followers"),
            literal(0).label("following"),
        ),
        select(deleted.c.follower_id, literal(0), literal(1)),
    ).subquery("ends")
    lost = (
        select(
            ends.c.id,
            func.sum(ends.c.followers).label("followers"),
            func.sum(ends.c.following).label("following"),
        )
        .group_by(ends.c.id)
        .subquery("lost")
    )
    return (
        update(User)
        .where(User.id == lost.c.id)
        .values(
            followers_count=User.followers_count - lost.c.followers,
            following_count=User.following_count - lost.c.following,
        )
        .returning(User.id)
    )

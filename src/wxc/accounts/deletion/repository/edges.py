"""Edges: rows of the account that rows of others count. Those are locked, in the order of ids."""

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
    """A table of likes, and the table of liked rows."""

    like: type[PostLike] | type[CommentLike]
    subject: type[Post] | type[Comment]
    subject_id: InstrumentedAttribute[UUID]


POST_LIKES = LikeTable(PostLike, Post, PostLike.post_id)
COMMENT_LIKES = LikeTable(CommentLike, Comment, CommentLike.comment_id)


class LikeRow(NamedTuple):
    """A like by the account."""

    id: UUID
    subject_id: UUID


class FollowRow(NamedTuple):
    """A follow by the account, or of it."""

    id: UUID
    follower_id: UUID
    followed_id: UUID


@prepared(LikeRow)
def likes_by(user_id: UUID, limit: int, *, table: LikeTable) -> AnySelect:
    """Likes by the account, ordered as an index has them, whatever the planner believes."""
    return (
        select(table.like.id, table.subject_id.label("subject_id"))
        .where(table.like.user_id == user_id)
        .order_by(table.subject_id)
        .limit(bind(limit))
    )


@prepared(RowId)
def lock_rows(ids: Sequence[UUID], *, table: CountingTable) -> AnySelect:
    """Lock rows that count edges, in the order of ids; adding an edge locks them too."""
    return (
        select(table.id)
        .where(table.id == any_(bind(ids)))
        .order_by(table.id)
        .with_for_update(key_share=True)
    )


@prepared(RowId)
def delete_likes(ids: Sequence[UUID], *, table: LikeTable) -> ReturningUpdate[UUID]:
    """Delete those of the likes that are still there, and subtract them; one per subject."""
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
    """Follows by the account and of it."""
    columns = (Follow.id, Follow.follower_id, Follow.followed_id)
    halves = (
        select(*columns).where(end == user_id).order_by(Follow.id).limit(bind(limit)).subquery()
        for end in (Follow.follower_id, Follow.followed_id)
    )
    return union_all(*map(select, halves)).limit(bind(limit))


@prepared(RowId)
def delete_follows(ids: Sequence[UUID]) -> ReturningUpdate[UUID]:
    """Delete those of the follows that are still there, and subtract them at both ends."""
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

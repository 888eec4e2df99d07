"""SQL for likes of comments; the comment is locked, so that ids and counter take turns."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CTE, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Comment, CommentLike


class LikesCount(NamedTuple):
    """How many like the comment after the write."""

    likes_count: int


@prepared(LikesCount)
def insert_comment_like(
    like_id: UUID, user_id: UUID, comment_id: UUID, moment: datetime
) -> AnySelect:
    """Like a comment; no row if the member likes it already."""
    inserted = (
        insert(CommentLike)
        .values(id=like_id, user_id=user_id, comment_id=comment_id, created_at=moment)
        .on_conflict_do_nothing()
        .returning(CommentLike.id)
    )
    return _counted(comment_id, inserted.cte("moved"), 1)


@prepared(LikesCount)
def delete_comment_like(user_id: UUID, comment_id: UUID) -> AnySelect:
    """Take a like back; no row if the member does not like the comment."""
    deleted = (
        delete(CommentLike)
        .where(CommentLike.user_id == user_id, CommentLike.comment_id == comment_id)
        .returning(CommentLike.id)
    )
    return _counted(comment_id, deleted.cte("moved"), -1)


def _counted(comment_id: UUID, moved: CTE, step: int) -> AnySelect:
    """The counter after a step, if a like has moved."""
    counted = (
        update(Comment)
        .where(Comment.id == comment_id, exists(select(moved.c.id)))
        .values(likes_count=Comment.likes_count + step)
        .returning(Comment.likes_count)
        .cte("counted")
    )
    return select(counted.c.likes_count)

"""The caller has locked the comment, which serialises updates of its counter."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CTE, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Comment, CommentLike


class LikesCount(NamedTuple):
    likes_count: int


@prepared(LikesCount)
def insert_comment_like(
    like_id: UUID, user_id: UUID, comment_id: UUID, moment: datetime
) -> AnySelect:
    """No row if the like exists."""
    inserted = (
        insert(CommentLike)
        .values(id=like_id, user_id=user_id, comment_id=comment_id, created_at=moment)
        .on_conflict_do_nothing()
        .returning(CommentLike.id)
    )
    return _update_likes_count(comment_id, inserted.cte("changed"), 1)


@prepared(LikesCount)
def delete_comment_like(user_id: UUID, comment_id: UUID) -> AnySelect:
    """No row if the like does not exist."""
    deleted = (
        delete(CommentLike)
        .where(CommentLike.user_id == user_id, CommentLike.comment_id == comment_id)
        .returning(CommentLike.id)
    )
    return _update_likes_count(comment_id, deleted.cte("changed"), -1)


def _update_likes_count(comment_id: UUID, changed: CTE, step: int) -> AnySelect:
    """Add `step` to the counter if a like was inserted or deleted."""
    updated = (
        update(Comment)
        .where(Comment.id == comment_id, exists(select(changed.c.id)))
        .values(likes_count=Comment.likes_count + step)
        .returning(Comment.likes_count)
        .cte("updated")
    )
    return select(updated.c.likes_count)

"""SQL for likes of comments; the comment is locked, so that ids and counter take turns."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CTE, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core import clock
from wxc.core.database import AnySelect, draw_id
from wxc.core.statements import built_once
from wxc.models import Comment, CommentLike


class CommentLikeRepository:
    """Writes likes of comments."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, user_id: UUID, comment_id: UUID) -> int | None:
        """How many like it now; None when this member did already."""
        statement = _added(draw_id(self.session), user_id, comment_id, clock.now())
        return (await self.session.execute(*statement)).scalar_one_or_none()

    async def remove(self, user_id: UUID, comment_id: UUID) -> int | None:
        """How many like it now; None when this member did not."""
        statement = _removed(user_id, comment_id)
        return (await self.session.execute(*statement)).scalar_one_or_none()


@built_once
def _added(new_id: UUID, liker_id: UUID, liked_id: UUID, moment: datetime) -> AnySelect:
    values = {"id": new_id, "user_id": liker_id, "comment_id": liked_id, "created_at": moment}
    added = insert(CommentLike).values(values).on_conflict_do_nothing().returning(CommentLike.id)
    return _counted(liked_id, added.cte("moved"), 1)


@built_once
def _removed(liker_id: UUID, liked_id: UUID) -> AnySelect:
    removed = (
        delete(CommentLike)
        .where(CommentLike.user_id == liker_id, CommentLike.comment_id == liked_id)
        .returning(CommentLike.id)
    )
    return _counted(liked_id, removed.cte("moved"), -1)


def _counted(liked_id: UUID, moved: CTE, step: int) -> AnySelect:
    """Move the counter if a row has moved, in the statement that moves it."""
    counted = (
        update(Comment)
        .where(Comment.id == liked_id, exists(select(moved.c.id)))
        .values(likes_count=Comment.likes_count + step)
        .returning(Comment.likes_count)
        .cte("counted")
    )
    return select(counted.c.likes_count)

"""SQL for likes of posts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CTE, delete, exists, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from wxc.core import clock
from wxc.core.database import AnyRow, AnySelect, Reader, draw_id
from wxc.core.pagination import PageRequest
from wxc.core.statements import built_once
from wxc.models import Comment, CommentLike, Post, PostLike, User
from wxc.users.visibility import visible_to


class Kind(NamedTuple):
    """What can be liked: the table of likes, its column, and the table of what is liked."""

    like: type[PostLike] | type[CommentLike]
    key: InstrumentedAttribute[UUID]
    liked: type[Post] | type[Comment]


OF_POSTS = Kind(PostLike, PostLike.post_id, Post)
OF_COMMENTS = Kind(CommentLike, CommentLike.comment_id, Comment)


class LikeReader:
    """Who likes a post, as a viewer may see it."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def likers_of(
        self, post_id: UUID, viewer_id: UUID | None, page: PageRequest
    ) -> Sequence[AnyRow] | None:
        """Up to `limit + 1` rows of `UserSummary` and `like_id`; None for an invisible post."""
        person = aliased(User)
        likes = page.window(
            select(
                PostLike.id.label("like_id"),
                person.id,
                person.username,
                person.display_name,
                person.avatar_url,
            )
            .join(person, person.id == PostLike.user_id)
            .where(PostLike.post_id == post_id, visible_to(viewer_id, person)),
            PostLike.id,
        ).lateral("likes")
        # The outer join keeps one empty row for a post that nobody likes.
        statement: AnySelect = (
            select(likes)
            .select_from(Post)
            .join(User, User.id == Post.author_id)
            .outerjoin(likes, true())
            .where(Post.id == post_id, visible_to(viewer_id))
        )
        rows = (await self.reader.execute(statement)).all()
        return [row for row in rows if row.like_id is not None] if rows else None


class LikeRepository:
    """Writes likes of one kind; what is liked is locked, so that ids and counter take turns."""

    def __init__(self, session: AsyncSession, kind: Kind) -> None:
        self.session = session
        self.kind = kind

    async def add(self, user_id: UUID, liked_id: UUID) -> int | None:
        """How many like it now; None when this member did already."""
        statement = _added(self.kind, draw_id(self.session), user_id, liked_id, clock.now())
        return (await self.session.execute(*statement)).scalar_one_or_none()

    async def remove(self, user_id: UUID, liked_id: UUID) -> int | None:
        """How many like it now; None when this member did not."""
        statement = _removed(self.kind, user_id, liked_id)
        return (await self.session.execute(*statement)).scalar_one_or_none()


@built_once
def _added(kind: Kind, new_id: UUID, liker_id: UUID, liked_id: UUID, moment: datetime) -> AnySelect:
    like, key, _ = kind
    values = {"id": new_id, "user_id": liker_id, key.name: liked_id, "created_at": moment}
    added = insert(like).values(values).on_conflict_do_nothing().returning(like.id)
    return _counted(kind, liked_id, added.cte("moved"), 1)


@built_once
def _removed(kind: Kind, liker_id: UUID, liked_id: UUID) -> AnySelect:
    like, key, _ = kind
    removed = delete(like).where(like.user_id == liker_id, key == liked_id).returning(like.id)
    return _counted(kind, liked_id, removed.cte("moved"), -1)


def _counted(kind: Kind, liked_id: UUID, moved: CTE, step: int) -> AnySelect:
    """Move the counter if a row has moved, in the statement that moves it."""
    liked = kind.liked
    counted = (
        update(liked)
        .where(liked.id == liked_id, exists(select(moved.c.id)))
        .values(likes_count=liked.likes_count + step)
        .returning(liked.likes_count)
        .cte("counted")
    )
    return select(counted.c.likes_count)

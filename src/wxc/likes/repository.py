"""SQL for likes of posts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    Uuid,
    delete,
    func,
    literal,
    null,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from wxc.core import clock, database
from wxc.core.database import (
    AnyRow,
    AnySelect,
    IntColumn,
    Reader,
    SingleWrite,
    refusing_late,
    unless_late,
)
from wxc.core.ids import new_id
from wxc.db.keyset import PageRequest
from wxc.core.statements import built_once
from wxc.models import NotificationType, Post, PostLike, User
from wxc.notifications.repository import hidden, recorded
from wxc.users.repository import summary
from wxc.users.visibility import has_blocked, known_to, visible_to

_ID = Uuid()
_TIME = DateTime(timezone=True)
_OF_POST = ("subject_id", "group_id", "post_id")  # of a notification: all of them are the post


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
            select(PostLike.id.label("like_id"), *summary(person))
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
    """Writes likes: in one statement each, which is a transaction of its own."""

    def __init__(self, write: SingleWrite) -> None:
        self.write = write

    async def add(self, user_id: UUID, post_id: UUID) -> AnyRow | None:
        """`(blocking, likes_count, told)` after the like; None for a post that is not there.

        `told` is the author, if they are notified. Nothing is written where the member has blocked
        them. Raises `Retry` where it took too long to count.
        """
        moment = clock.now()
        statement = _liked(
            user_id, post_id, new_id(), new_id(), moment, moment + database.LATEST_COMMIT
        )
        try:
            with refusing_late():
                return (await self.write.execute(*statement)).one_or_none()
        except IntegrityError:
            return None  # it was deleted at this very moment

    async def remove(self, user_id: UUID, post_id: UUID) -> AnyRow | None:
        """As `add`, after the like was taken back."""
        return (await self.write.execute(*_unliked(user_id, post_id))).one_or_none()


@built_once
def _liked(
    liker_id: UUID,
    liked_id: UUID,
    like_id: UUID,
    notification_id: UUID,
    moment: datetime,
    latest: datetime,
) -> AnySelect:
    post = _post(liked_id, liker_id)
    like: AnySelect = select(
        type_coerce(like_id, _ID), post.c.id, type_coerce(liker_id, _ID), type_coerce(moment, _TIME)
    )
    moved = (
        insert(PostLike)
        .from_select(["id", "post_id", "user_id", "created_at"], like.where(~post.c.blocking))
        .on_conflict_do_nothing()
        .returning(PostLike.post_id)
        .cte("moved")
    )
    counted = _counted(moved, 1, unless_late(Post.likes_count, latest))
    told = _told(post, moved, liker_id, notification_id, moment)
    return _outcome(post, counted, told.c.recipient_id).outerjoin(told, true())


def _told(post: CTE, moved: CTE, liker_id: UUID, notification_id: UUID, moment: datetime) -> CTE:
    """The author's notification, unless it is their own like."""
    said: AnySelect = (
        select(
            type_coerce(notification_id, _ID),
            post.c.author_id,
            literal(NotificationType.POST_LIKE.value),
            type_coerce(liker_id, _ID),
            type_coerce(moment, _TIME),
            *[post.c.id for _ in _OF_POST],
        )
        .join(moved, moved.c.post_id == post.c.id)
        .where(post.c.author_id != liker_id)
    )
    columns = ("id", "recipient_id", "type", "actor_id", "created_at", *_OF_POST)
    return recorded(columns, said).cte("told")


@built_once
def _unliked(liker_id: UUID, liked_id: UUID) -> AnySelect:
    post = _post(liked_id, liker_id)
    moved = (
        delete(PostLike)
        .where(
            PostLike.user_id == liker_id,
            PostLike.post_id == select(post.c.id).where(~post.c.blocking).scalar_subquery(),
        )
        .returning(PostLike.post_id)
        .cte("moved")
    )
    counted = _counted(moved, -1, Post.likes_count)
    withdrawn = hidden(NotificationType.POST_LIKE, liker_id, post.c.author_id, moved.c.post_id)
    return _outcome(post, counted, null()).add_cte(withdrawn.cte("withdrawn"))


def _post(liked_id: UUID, liker_id: UUID) -> CTE:
    blocking = has_blocked(liker_id, Post.author_id).label("blocking")
    return (
        select(Post.id, Post.author_id, Post.likes_count, blocking)
        .join(User, User.id == Post.author_id)
        .where(Post.id == liked_id, known_to(liker_id))
        .cte("post")
    )


def _counted(moved: CTE, step: int, count: IntColumn) -> CTE:
    """The `count`, after a step if something has moved.

    Joined to what has moved, so that who waits for the row counts from its newest state.
    """
    return (
        update(Post)
        .where(Post.id == moved.c.post_id)
        .values(likes_count=Post.likes_count + step)
        .returning(count.label("likes_count"))
        .cte("counted")
    )


def _outcome(post: CTE, counted: CTE, told: ColumnElement[Any]) -> AnySelect:
    count = func.coalesce(counted.c.likes_count, post.c.likes_count)
    statement: AnySelect = select(
        post.c.blocking, count.label("likes_count"), told.label("told")
    ).select_from(post)
    return statement.outerjoin(counted, true())

"""SQL for likes of posts."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
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
from sqlalchemy.orm import InstrumentedAttribute, aliased

from wxc.db.commits import require_commit_before
from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import bind, prepared, prepared_outer
from wxc.models import NotificationType, Post, PostLike, User
from wxc.social.notifications.repository.writing import hide_notifications, upsert_notifications
from wxc.social.users.repository import summary
from wxc.social.users.visibility import has_blocked, known_to, visible_to

_OF_POST = ("subject_id", "group_id", "post_id")  # of a notification: all of them are the post


class LikerRow(NamedTuple):
    """A person who likes a post, and the like that their place in the list depends on."""

    like_id: UUID
    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None


class LikeOutcome(NamedTuple):
    """The post after a like was written or deleted."""

    blocking: bool
    """The member has blocked the author: nothing is written."""
    likes_count: int
    recipient_id: UUID | None
    """The author, if they are notified."""


@prepared_outer(LikerRow)
def likers_of(post_id: UUID, viewer_id: UUID | None, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` people; no row for an invisible post."""
    person = aliased(User)
    likes = page.window(
        select(PostLike.id.label("like_id"), *summary(person))
        .join(person, person.id == PostLike.user_id)
        .where(PostLike.post_id == post_id, visible_to(viewer_id, person)),
        PostLike.id,
    ).lateral("likes")
    return (
        select(likes)
        .select_from(Post)
        .join(User, User.id == Post.author_id)
        .outerjoin(likes, true())
        .where(Post.id == post_id, visible_to(viewer_id))
    )


@prepared(LikeOutcome)
def insert_like(
    user_id: UUID,
    post_id: UUID,
    like_id: UUID,
    notification_id: UUID,
    moment: datetime,
    latest: datetime,
) -> AnySelect:
    """Like a post and notify its author; no row for a post that is not there.

    Fails with SQLSTATE 40001 where the like becomes visible after `latest`.
    """
    post = _post(post_id, user_id)
    like = select(bind(like_id), post.c.id, bind(user_id), bind(moment))
    moved = (
        insert(PostLike)
        .from_select(["id", "post_id", "user_id", "created_at"], like.where(~post.c.blocking))
        .on_conflict_do_nothing()
        .returning(PostLike.post_id)
        .cte("moved")
    )
    counted = _counted(moved, 1, require_commit_before(Post.likes_count, latest))
    notified = _notified(post, moved, user_id, notification_id, moment)
    return _outcome(post, counted, notified.c.recipient_id).outerjoin(notified, true())


def _notified(post: CTE, moved: CTE, user_id: UUID, notification_id: UUID, moment: datetime) -> CTE:
    """The author's notification, unless it is their own like."""
    draft: AnySelect = (
        select(
            bind(notification_id),
            post.c.author_id,
            literal(NotificationType.POST_LIKE.value),
            bind(user_id),
            bind(moment),
            *[post.c.id for _ in _OF_POST],
        )
        .join(moved, moved.c.post_id == post.c.id)
        .where(post.c.author_id != user_id)
    )
    columns = ("id", "recipient_id", "type", "actor_id", "created_at", *_OF_POST)
    return upsert_notifications(columns, draft).cte("notified")


@prepared(LikeOutcome)
def delete_like(user_id: UUID, post_id: UUID) -> AnySelect:
    """Take a like back, and its notification; no row for a post that is not there."""
    post = _post(post_id, user_id)
    moved = (
        delete(PostLike)
        .where(
            PostLike.user_id == user_id,
            PostLike.post_id == select(post.c.id).where(~post.c.blocking).scalar_subquery(),
        )
        .returning(PostLike.post_id)
        .cte("moved")
    )
    counted = _counted(moved, -1, Post.likes_count)
    withdrawn = hide_notifications(
        NotificationType.POST_LIKE, user_id, post.c.author_id, moved.c.post_id
    )
    nobody = type_coerce(null(), Uuid())
    return _outcome(post, counted, nobody).add_cte(withdrawn.cte("withdrawn"))


def _post(post_id: UUID, user_id: UUID) -> CTE:
    blocking = has_blocked(user_id, Post.author_id).label("blocking")
    return (
        select(Post.id, Post.author_id, Post.likes_count, blocking)
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, known_to(user_id))
        .cte("post")
    )


def _counted(moved: CTE, step: int, count: ColumnElement[int] | InstrumentedAttribute[int]) -> CTE:
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


def _outcome(post: CTE, counted: CTE, recipient_id: ColumnElement[Any]) -> AnySelect:
    count = func.coalesce(counted.c.likes_count, post.c.likes_count)
    statement: AnySelect = select(
        post.c.blocking, count.label("likes_count"), recipient_id.label("recipient_id")
    )
    return statement.select_from(post).outerjoin(counted, true())

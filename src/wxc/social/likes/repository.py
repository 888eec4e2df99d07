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
from wxc.social.users.repository import summary_columns
from wxc.social.users.visibility import has_blocked, viewable_or_blocked_by, visible_to

_POST_ID_COLUMNS = ("subject_id", "group_id", "post_id")
"""The columns of a notification that are set to the post's id."""


class LikerRow(NamedTuple):
    """A user who likes a post; pages are ordered by `like_id`."""

    like_id: UUID
    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None


class LikeOutcome(NamedTuple):
    """The post after `insert_like` or `delete_like`, whether or not a row changed."""

    blocking: bool
    """The user has blocked the author, so nothing was written."""
    likes_count: int
    recipient_id: UUID | None
    """The author, if a notification was written; else None."""


@prepared_outer(LikerRow)
def likers_of(post_id: UUID, viewer_id: UUID | None, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` users who like the post; no row for an invisible post."""
    liker = aliased(User)
    likes = page.window(
        select(PostLike.id.label("like_id"), *summary_columns(liker))
        .join(liker, liker.id == PostLike.user_id)
        .where(PostLike.post_id == post_id, visible_to(viewer_id, liker)),
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
    commit_before: datetime,
) -> AnySelect:
    """Like a post and notify its author; no row for a post that the user cannot see.

    Fails with SQLSTATE 40001 if the like would become visible after `commit_before`.
    """
    post = _viewable_or_blocked_post(post_id, user_id)
    like = select(bind(like_id), post.c.id, bind(user_id), bind(moment))
    inserted = (
        insert(PostLike)
        .from_select(["id", "post_id", "user_id", "created_at"], like.where(~post.c.blocking))
        .on_conflict_do_nothing()
        .returning(PostLike.post_id)
        .cte("inserted")
    )
    updated = _update_likes_count(
        inserted, 1, require_commit_before(Post.likes_count, commit_before)
    )
    notification = _upsert_notification(post, inserted, user_id, notification_id, moment)
    outcome = _select_outcome(post, updated, notification.c.recipient_id)
    return outcome.outerjoin(notification, true())


def _upsert_notification(
    post: CTE, inserted: CTE, user_id: UUID, notification_id: UUID, moment: datetime
) -> CTE:
    """Notify the author, unless the like is their own."""
    draft: AnySelect = (
        select(
            bind(notification_id),
            post.c.author_id,
            literal(NotificationType.POST_LIKE.value),
            bind(user_id),
            bind(moment),
            *[post.c.id for _ in _POST_ID_COLUMNS],
        )
        .join(inserted, inserted.c.post_id == post.c.id)
        .where(post.c.author_id != user_id)
    )
    columns = ("id", "recipient_id", "type", "actor_id", "created_at", *_POST_ID_COLUMNS)
    return upsert_notifications(columns, draft).cte("notification")


@prepared(LikeOutcome)
def delete_like(user_id: UUID, post_id: UUID) -> AnySelect:
    """Delete a like and hide its notification; no row for a post that the user cannot see."""
    post = _viewable_or_blocked_post(post_id, user_id)
    deleted = (
        delete(PostLike)
        .where(
            PostLike.user_id == user_id,
            PostLike.post_id == select(post.c.id).where(~post.c.blocking).scalar_subquery(),
        )
        .returning(PostLike.post_id)
        .cte("deleted")
    )
    updated = _update_likes_count(deleted, -1, Post.likes_count)
    hidden = hide_notifications(
        NotificationType.POST_LIKE, user_id, post.c.author_id, deleted.c.post_id
    )
    no_recipient = type_coerce(null(), Uuid())
    return _select_outcome(post, updated, no_recipient).add_cte(hidden.cte("hidden"))


def _viewable_or_blocked_post(post_id: UUID, user_id: UUID) -> CTE:
    blocking = has_blocked(user_id, Post.author_id).label("blocking")
    return (
        select(Post.id, Post.author_id, Post.likes_count, blocking)
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, viewable_or_blocked_by(user_id))
        .cte("post")
    )


def _update_likes_count(
    changed: CTE, step: int, count: ColumnElement[int] | InstrumentedAttribute[int]
) -> CTE:
    """Add `step` if a like was inserted or deleted, and return `count`.

    The UPDATE joins `changed`: after waiting for the row lock, it then adds to the newest value.
    """
    return (
        update(Post)
        .where(Post.id == changed.c.post_id)
        .values(likes_count=Post.likes_count + step)
        .returning(count.label("likes_count"))
        .cte("updated")
    )


def _select_outcome(post: CTE, updated: CTE, recipient_id: ColumnElement[Any]) -> AnySelect:
    count = func.coalesce(updated.c.likes_count, post.c.likes_count)
    statement: AnySelect = select(
        post.c.blocking, count.label("likes_count"), recipient_id.label("recipient_id")
    )
    return statement.select_from(post).outerjoin(updated, true())

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import bind, prepared, prepared_outer
from wxc.models import Follow, NotificationType, RowId, User
from wxc.social.notifications.repository.writing import hide_notifications, upsert_notifications
from wxc.social.relationships.repository.edges import EdgeRow
from wxc.social.users.repository import has_username, summary_columns
from wxc.social.users.visibility import visible_to


class FollowOutcome(NamedTuple):
    """The state of the followed user."""

    followers_count: int
    recipient_id: UUID | None
    """The followed user, if a notification was written."""


class FollowersCount(NamedTuple):
    """Includes suspended followers and those hidden by a block."""

    followers_count: int


@prepared_outer(EdgeRow)
def followers_of(username: str, viewer_id: UUID | None, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` followers; None if there are none, no rows if the user is not visible."""
    return _page_of_follows(username, viewer_id, page, Follow.followed_id, Follow.follower_id)


@prepared_outer(EdgeRow)
def followed_by(username: str, viewer_id: UUID | None, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` followed users; rows as for `followers_of`."""
    return _page_of_follows(username, viewer_id, page, Follow.follower_id, Follow.followed_id)


@prepared(FollowOutcome)
def insert_follow(
    follower_id: UUID,
    followed_id: UUID,
    follow_id: UUID,
    notification_id: UUID,
    day_id: UUID,
    moment: datetime,
) -> AnySelect:
    """Insert a follow and its notification, unless the follow exists; the pair is locked.

    `day_id` groups the notifications of a UTC day.
    """
    inserted = (
        insert(Follow)
        .values(id=follow_id, follower_id=follower_id, followed_id=followed_id, created_at=moment)
        .on_conflict_do_nothing()
        .returning(Follow.followed_id)
        .cte("inserted")
    )
    draft: AnySelect = select(
        bind(notification_id),
        inserted.c.followed_id,
        literal(NotificationType.FOLLOW.value),
        bind(follower_id),
        bind(moment),
        inserted.c.followed_id,
        bind(day_id),
    )
    columns = ("id", "recipient_id", "type", "actor_id", "created_at", "subject_id", "group_id")
    notification = upsert_notifications(columns, draft).cte("notification")
    count = _update_counts(follower_id, followed_id, inserted, 1)
    statement: AnySelect = select(count, notification.c.recipient_id).select_from(User)
    return statement.outerjoin(notification, true()).where(User.id == followed_id)


@prepared(FollowersCount)
def delete_follow(follower_id: UUID, followed_id: UUID) -> AnySelect:
    """Delete the follow if it exists, and hide its notification."""
    deleted = (
        delete(Follow)
        .where(Follow.follower_id == follower_id, Follow.followed_id == followed_id)
        .returning(Follow.followed_id)
        .cte("deleted")
    )
    hidden = hide_notifications(
        NotificationType.FOLLOW, follower_id, deleted.c.followed_id, deleted.c.followed_id
    )
    count = _update_counts(follower_id, followed_id, deleted, -1)
    statement: AnySelect = select(count).where(User.id == followed_id)
    return statement.add_cte(hidden.cte("hidden"))


@prepared(RowId)
def delete_follows_between(user_id: UUID, other_id: UUID) -> ReturningUpdate[UUID]:
    """Delete the follows in both directions and update the counters of both users."""
    deleted = (
        delete(Follow)
        .where(
            or_(
                and_(Follow.follower_id == user_id, Follow.followed_id == other_id),
                and_(Follow.follower_id == other_id, Follow.followed_id == user_id),
            )
        )
        .returning(Follow.follower_id, Follow.followed_id)
        .cte("deleted")
    )
    lost_followers, lost_followees = (
        select(func.count()).where(column == User.id).scalar_subquery()
        for column in (deleted.c.followed_id, deleted.c.follower_id)
    )
    return (
        update(User)
        .where(User.id.in_((user_id, other_id)))
        .values(
            followers_count=User.followers_count - lost_followers,
            following_count=User.following_count - lost_followees,
        )
        .returning(User.id)
    )


def _page_of_follows(
    username: str,
    viewer_id: UUID | None,
    page: PageRequest,
    own_column: InstrumentedAttribute[UUID],
    other_column: InstrumentedAttribute[UUID],
) -> AnySelect:
    other = aliased(User)
    edges = page.window(
        select(Follow.id.label("edge_id"), *summary_columns(other))
        .join(other, other.id == other_column)
        .where(own_column == User.id, visible_to(viewer_id, other)),
        Follow.id,
    ).lateral("edges")
    statement: AnySelect = (
        select(edges)
        .select_from(User)
        .outerjoin(edges, true())
        .where(has_username(username), visible_to(viewer_id))
    )
    return statement


def _update_counts(
    follower_id: UUID, followed_id: UUID, changed: CTE, step: int
) -> ColumnElement[Any]:
    """Add `step` to both counters, and return the new number of followers.

    `changed` is the inserted or deleted follow; if it is empty, nothing is updated.
    """
    updated = (
        update(User)
        .where(User.id.in_((follower_id, followed_id)), exists(select(changed.c.followed_id)))
        .values(
            followers_count=User.followers_count + case((User.id == followed_id, step), else_=0),
            following_count=User.following_count + case((User.id == follower_id, step), else_=0),
        )
        .returning(User.id, User.followers_count)
        .cte("updated")
    )
    count = select(updated.c.followers_count).where(updated.c.id == followed_id).scalar_subquery()
    return func.coalesce(count, User.followers_count).label("followers_count")

"""SQL for follows."""

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
from wxc.models import Follow, NotificationType, User
from wxc.social.notifications.repository.writing import hide_notifications, upsert_notifications
from wxc.social.relationships.repository.edges import EdgeRow
from wxc.social.users.repository import named, summary
from wxc.social.users.visibility import visible_to


class FollowOutcome(NamedTuple):
    """The other member after a follow was written."""

    followers_count: int
    recipient_id: UUID | None
    """The other member, if they are notified."""


class FollowersCount(NamedTuple):
    """How many members follow somebody."""

    followers_count: int


class MemberId(NamedTuple):
    """A member whose counters were updated."""

    id: UUID


@prepared_outer(EdgeRow)
def followers_of(username: str, viewer_id: UUID | None, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` followers of the member of that folded name."""
    return _follows(username, viewer_id, page, Follow.followed_id, Follow.follower_id)


@prepared_outer(EdgeRow)
def followed_by(username: str, viewer_id: UUID | None, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` members whom the member of that folded name follows."""
    return _follows(username, viewer_id, page, Follow.follower_id, Follow.followed_id)


@prepared(FollowOutcome)
def insert_follow(
    me_id: UUID,
    other_id: UUID,
    follow_id: UUID,
    notification_id: UUID,
    day_id: UUID,
    moment: datetime,
) -> AnySelect:
    """Follow the other member and notify them; `day_id` groups the follows of a UTC day.

    Nothing is written if the follow is already there. The pair is locked.
    """
    moved = (
        insert(Follow)
        .values(id=follow_id, follower_id=me_id, followed_id=other_id, created_at=moment)
        .on_conflict_do_nothing()
        .returning(Follow.followed_id)
        .cte("moved")
    )
    draft: AnySelect = select(
        bind(notification_id),
        moved.c.followed_id,
        literal(NotificationType.FOLLOW.value),
        bind(me_id),
        bind(moment),
        moved.c.followed_id,
        bind(day_id),
    )
    columns = ("id", "recipient_id", "type", "actor_id", "created_at", "subject_id", "group_id")
    notified = upsert_notifications(columns, draft).cte("notified")
    count = _counted(me_id, other_id, moved, 1)
    statement: AnySelect = select(count, notified.c.recipient_id).select_from(User)
    return statement.outerjoin(notified, true()).where(User.id == other_id)


@prepared(FollowersCount)
def delete_follow(me_id: UUID, other_id: UUID) -> AnySelect:
    """Unfollow the other member, if there is a follow, and hide its notification."""
    moved = (
        delete(Follow)
        .where(Follow.follower_id == me_id, Follow.followed_id == other_id)
        .returning(Follow.followed_id)
        .cte("moved")
    )
    withdrawn = hide_notifications(
        NotificationType.FOLLOW, me_id, moved.c.followed_id, moved.c.followed_id
    )
    statement: AnySelect = select(_counted(me_id, other_id, moved, -1)).where(User.id == other_id)
    return statement.add_cte(withdrawn.cte("withdrawn"))


@prepared(MemberId)
def delete_follows_between(me_id: UUID, other_id: UUID) -> ReturningUpdate[UUID]:
    """Delete the follows between the two members, in both directions, and count them."""
    severed = (
        delete(Follow)
        .where(
            or_(
                and_(Follow.follower_id == me_id, Follow.followed_id == other_id),
                and_(Follow.follower_id == other_id, Follow.followed_id == me_id),
            )
        )
        .returning(Follow.follower_id, Follow.followed_id)
        .cte("severed")
    )
    lost, dropped = (
        select(func.count()).where(column == User.id).scalar_subquery()
        for column in (severed.c.followed_id, severed.c.follower_id)
    )
    return (
        update(User)
        .where(User.id.in_((me_id, other_id)))
        .values(
            followers_count=User.followers_count - lost,
            following_count=User.following_count - dropped,
        )
        .returning(User.id)
    )


def _follows(
    username: str,
    viewer_id: UUID | None,
    page: PageRequest,
    of: InstrumentedAttribute[UUID],
    other: InstrumentedAttribute[UUID],
) -> AnySelect:
    person = aliased(User)
    edges = page.window(
        select(Follow.id.label("edge_id"), *summary(person))
        .join(person, person.id == other)
        .where(of == User.id, visible_to(viewer_id, person)),
        Follow.id,
    ).lateral("edges")
    statement: AnySelect = (
        select(edges)
        .select_from(User)
        .outerjoin(edges, true())
        .where(named(username), visible_to(viewer_id))
    )
    return statement


def _counted(me_id: UUID, other_id: UUID, moved: CTE, step: int) -> ColumnElement[Any]:
    """The other member's followers, after a step of both counters if a follow has moved."""
    counted = (
        update(User)
        .where(User.id.in_((me_id, other_id)), exists(select(moved.c.followed_id)))
        .values(
            followers_count=User.followers_count + case((User.id == other_id, step), else_=0),
            following_count=User.following_count + case((User.id == me_id, step), else_=0),
        )
        .returning(User.id, User.followers_count)
        .cte("counted")
    )
    count = select(counted.c.followers_count).where(counted.c.id == other_id).scalar_subquery()
    return func.coalesce(count, User.followers_count).label("followers_count")

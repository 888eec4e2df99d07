"""SQL that reads notifications, in groups."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, any_, func, select, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import Notification, User
from wxc.social.notifications.repository.visibility import is_shown
from wxc.social.notifications.schemas import MAX_ACTORS, MAX_UNREAD
from wxc.social.users.repository import Entity, summary

MAX_COUNTED = 10_000
"""Up to so many notifications of a group are counted."""


class NewNotification(NamedTuple):
    """A notification, and the newest one of its group."""

    id: UUID
    latest_id: UUID


class UnreadGroups(NamedTuple):
    """How many groups are unread, up to `MAX_UNREAD`."""

    unread_count: int


class GroupActorRow(NamedTuple):
    """A group and one of its actors."""

    unread_count: int
    """Of all the member's groups; the same in every row."""
    id: UUID
    """Of the group's newest notification."""
    type: str
    post_id: UUID | None
    comment_id: UUID | None
    created_at: datetime
    members_count: int
    """How many notifications the group holds, up to `MAX_COUNTED`."""
    unread: bool
    user_id: UUID | None
    """The actor; None for a notification without one."""
    username: str | None
    display_name: str | None
    avatar_url: str | None


@prepared(GroupActorRow)
def groups_by_latest(me_id: UUID, latest_ids: Sequence[UUID]) -> AnySelect:
    """The groups of these newest notifications, the newest group first.

    A group has a row for each of its latest `MAX_ACTORS` actors, the newest first.
    """
    latest = aliased(Notification)
    totals, actors = _totals(me_id, latest), _actors(me_id, latest)
    statement: AnySelect = (
        select(
            _unread_count(me_id).label("unread_count"),
            latest.id,
            latest.type,
            latest.post_id,
            latest.comment_id,
            latest.created_at,
            totals.c.members_count,
            totals.c.unread,
            actors.c.user_id,
            actors.c.username,
            actors.c.display_name,
            actors.c.avatar_url,
        )
        .select_from(latest)
        .join(totals, totals.c.members_count > 0)  # else it was hidden meanwhile
        .outerjoin(actors, true())
        .where(latest.id == any_(bind(latest_ids)))
        .order_by(latest.id.desc(), actors.c.id.desc())
    )
    return statement


@prepared(UnreadGroups)
def unread_groups(me_id: UUID) -> AnySelect:
    """The number of unread groups."""
    return select(_unread_count(me_id).label("unread_count"))


@prepared(NewNotification)
def notifications_since(me_id: UUID, after_id: UUID, *, limit: int) -> AnySelect:
    """Up to `limit` notifications after that id, the oldest first."""
    newer = aliased(Notification)
    latest_id = (
        select(newer.id)
        .where(
            newer.recipient_id == me_id,
            newer.group_id == Notification.group_id,
            is_shown(me_id, newer),
        )
        .order_by(newer.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement: AnySelect = (
        select(Notification.id, latest_id.label("latest_id"))
        .where(Notification.recipient_id == me_id, Notification.id > after_id, is_shown(me_id))
        .order_by(Notification.id)
        .limit(limit)
    )
    return statement


def _members(me_id: UUID, latest: Entity, *columns: str) -> AnySelect:
    member = aliased(Notification)
    statement: AnySelect = (
        select(*(getattr(member, name) for name in columns))
        .where(
            member.recipient_id == me_id,
            member.group_id == latest.group_id,
            is_shown(me_id, member),
        )
        .order_by(member.id.desc())
        .correlate(latest)
    )
    return statement


def _totals(me_id: UUID, latest: Entity) -> LateralFromClause:
    members = _members(me_id, latest, "read_at").limit(MAX_COUNTED).subquery("members")
    is_unread = func.bool_or(members.c.read_at.is_(None))
    return select(func.count().label("members_count"), is_unread.label("unread")).lateral("totals")


def _actors(me_id: UUID, latest: Entity) -> LateralFromClause:
    newest = _members(me_id, latest, "id", "actor_id").limit(MAX_ACTORS).subquery("newest")
    return (
        select(newest.c.id, *summary(id_name="user_id"))
        .join(User, User.id == newest.c.actor_id)
        .lateral("actors")
    )


def _unread_count(me_id: UUID) -> ScalarSelect[Any]:
    """Walk from group to group: the first unread notification of a group is enough."""
    first = _unread_group(me_id, None)
    walk = select(first.c.group_id).cte("unread_walk", recursive=True)
    step = _unread_group(me_id, walk.c.group_id)
    walk = walk.union_all(select(step.c.group_id).select_from(walk).join(step, true()))
    groups = select(walk.c.group_id).limit(MAX_UNREAD).subquery("unread_groups")
    return select(func.count()).select_from(groups).scalar_subquery()


def _unread_group(me_id: UUID, after: ColumnElement[UUID] | None) -> LateralFromClause:
    """The next group, by id, with an unread notification."""
    unread = aliased(Notification)
    beyond = true() if after is None else unread.group_id > after
    return (
        select(unread.group_id)
        .where(
            unread.recipient_id == me_id,
            unread.read_at.is_(None),
            beyond,
            is_shown(me_id, unread),
        )
        .order_by(unread.group_id)
        .limit(1)
        .lateral()
    )

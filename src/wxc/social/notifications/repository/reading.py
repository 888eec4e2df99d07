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
from wxc.social.users.repository import Entity, summary_columns

MAX_GROUP_COUNT = 10_000
"""The limit for counting the notifications of a group."""


class NewNotification(NamedTuple):
    """A notification and the newest notification of its group."""

    id: UUID
    latest_id: UUID


class UnreadGroups(NamedTuple):
    unread_count: int


class GroupActorRow(NamedTuple):
    """A group and one of its actors."""

    unread_count: int
    """The number of all unread groups, up to `MAX_UNREAD`; the same in every row."""
    id: UUID
    """The newest notification of the group."""
    type: str
    post_id: UUID | None
    comment_id: UUID | None
    created_at: datetime
    members_count: int
    """The number of notifications in the group, up to `MAX_GROUP_COUNT`."""
    unread: bool
    user_id: UUID | None
    """The actor; None for a notification without one."""
    username: str | None
    display_name: str | None
    avatar_url: str | None


@prepared(GroupActorRow)
def groups_by_latest(recipient_id: UUID, latest_ids: Sequence[UUID]) -> AnySelect:
    """The groups of these newest notifications, newest first.

    A group has a row for each of its latest `MAX_ACTORS` actors, newest first; one row without
    actors.
    """
    latest = aliased(Notification)
    totals, actors = _totals(recipient_id, latest), _actors(recipient_id, latest)
    statement: AnySelect = (
        select(
            _unread_count(recipient_id).label("unread_count"),
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
        .join(totals, totals.c.members_count > 0)  # 0: hidden since
        .outerjoin(actors, true())
        .where(latest.id == any_(bind(latest_ids)))
        .order_by(latest.id.desc(), actors.c.id.desc())
    )
    return statement


@prepared(UnreadGroups)
def unread_groups(recipient_id: UUID) -> AnySelect:
    """The number of unread groups, up to `MAX_UNREAD`."""
    return select(_unread_count(recipient_id).label("unread_count"))


@prepared(NewNotification)
def notifications_since(recipient_id: UUID, after_id: UUID, *, limit: int) -> AnySelect:
    """Up to `limit` notifications after `after_id`, oldest first."""
    newer = aliased(Notification)
    latest_id = (
        select(newer.id)
        .where(
            newer.recipient_id == recipient_id,
            newer.group_id == Notification.group_id,
            is_shown(recipient_id, newer),
        )
        .order_by(newer.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement: AnySelect = (
        select(Notification.id, latest_id.label("latest_id"))
        .where(
            Notification.recipient_id == recipient_id,
            Notification.id > after_id,
            is_shown(recipient_id),
        )
        .order_by(Notification.id)
        .limit(limit)
    )
    return statement


def _group_members(recipient_id: UUID, latest: Entity, *columns: str) -> AnySelect:
    member = aliased(Notification)
    statement: AnySelect = (
        select(*(getattr(member, name) for name in columns))
        .where(
            member.recipient_id == recipient_id,
            member.group_id == latest.group_id,
            is_shown(recipient_id, member),
        )
        .order_by(member.id.desc())
        .correlate(latest)
    )
    return statement


def _totals(recipient_id: UUID, latest: Entity) -> LateralFromClause:
    members = (
        _group_members(recipient_id, latest, "read_at").limit(MAX_GROUP_COUNT).subquery("members")
    )
    is_unread = func.bool_or(members.c.read_at.is_(None))
    return select(func.count().label("members_count"), is_unread.label("unread")).lateral("totals")


def _actors(recipient_id: UUID, latest: Entity) -> LateralFromClause:
    newest = (
        _group_members(recipient_id, latest, "id", "actor_id").limit(MAX_ACTORS).subquery("newest")
    )
    return (
        select(newest.c.id, *summary_columns(id_name="user_id"))
        .join(User, User.id == newest.c.actor_id)
        .lateral("actors")
    )


def _unread_count(recipient_id: UUID) -> ScalarSelect[Any]:
    """Walk recursively, reading one unread notification per group."""
    first = _unread_group(recipient_id, None)
    walk = select(first.c.group_id).cte("unread_walk", recursive=True)
    step = _unread_group(recipient_id, walk.c.group_id)
    walk = walk.union_all(select(step.c.group_id).select_from(walk).join(step, true()))
    groups = select(walk.c.group_id).limit(MAX_UNREAD).subquery("unread_groups")
    return select(func.count()).select_from(groups).scalar_subquery()


def _unread_group(recipient_id: UUID, after: ColumnElement[UUID] | None) -> LateralFromClause:
    """The next group, by id, with an unread notification."""
    unread = aliased(Notification)
    is_after = true() if after is None else unread.group_id > after
    return (
        select(unread.group_id)
        .where(
            unread.recipient_id == recipient_id,
            unread.read_at.is_(None),
            is_after,
            is_shown(recipient_id, unread),
        )
        .order_by(unread.group_id)
        .limit(1)
        .lateral()
    )

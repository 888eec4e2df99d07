from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from wxc.accounts.export.repository.batches import batch
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Notification, Report, Session, UsedUsername


class UsernameRow(NamedTuple):
    name: str
    taken_at: datetime
    key: str


class SessionRow(NamedTuple):
    id: UUID
    user_agent: str | None
    place: str | None
    created_at: datetime
    last_used_at: datetime
    revoked_at: datetime | None
    key: UUID


class ReportRow(NamedTuple):
    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: datetime
    key: UUID


class NotificationRow(NamedTuple):
    type: str
    actor_id: UUID | None
    post_id: UUID | None
    comment_id: UUID | None
    created_at: datetime
    read_at: datetime | None
    key: UUID


@prepared(UsernameRow)
def usernames(user_id: UUID, after: str, *, limit: int) -> AnySelect:
    """The current username and the former ones."""
    query = select(UsedUsername.name, UsedUsername.taken_at).where(UsedUsername.user_id == user_id)
    return batch(query, UsedUsername.name, after, limit)


@prepared(SessionRow)
def sessions(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """Live and ended sessions."""
    query = select(
        Session.id,
        Session.user_agent,
        Session.place,
        Session.created_at,
        Session.last_used_at,
        Session.revoked_at,
    ).where(Session.user_id == user_id)
    return batch(query, Session.id, after, limit)


@prepared(ReportRow)
def reports(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    query = select(
        Report.target_type,
        Report.target_id,
        Report.reason,
        Report.detail,
        Report.created_at,
    ).where(Report.reporter_id == user_id)
    return batch(query, Report.id, after, limit)


@prepared(NotificationRow)
def notifications(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    query = select(
        Notification.type,
        Notification.actor_id,
        Notification.post_id,
        Notification.comment_id,
        Notification.created_at,
        Notification.read_at,
    ).where(Notification.recipient_id == user_id, Notification.hidden_at.is_(None))
    return batch(query, Notification.id, after, limit)

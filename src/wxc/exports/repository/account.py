"""Usernames, sessions, reports and notifications."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.exports.repository.batches import batch_of
from wxc.models import Notification, Report, Session, UsedUsername


class UsernameRow(NamedTuple):
    """A username that is reserved for the account."""

    name: str
    taken_at: datetime
    key: str


class SessionRow(NamedTuple):
    """A session, live or ended."""

    id: UUID
    user_agent: str | None
    place: str | None
    created_at: datetime
    last_used_at: datetime
    revoked_at: datetime | None
    key: UUID


class ReportRow(NamedTuple):
    """A report that the account has made."""

    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: datetime
    key: UUID


class NotificationRow(NamedTuple):
    """A notification that the account has received."""

    type: str
    actor_id: UUID | None
    post_id: UUID | None
    comment_id: UUID | None
    created_at: datetime
    read_at: datetime | None
    key: UUID


@prepared(UsernameRow)
def usernames(user_id: UUID, after: str, *, limit: int) -> AnySelect:
    """The usernames that the account has or had."""
    return batch_of(UsernameRow, UsedUsername.name, after, limit).where(
        UsedUsername.user_id == user_id
    )


@prepared(SessionRow)
def sessions(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The sessions of the account."""
    return batch_of(SessionRow, Session.id, after, limit).where(Session.user_id == user_id)


@prepared(ReportRow)
def reports(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The reports by the account."""
    return batch_of(ReportRow, Report.id, after, limit).where(Report.reporter_id == user_id)


@prepared(NotificationRow)
def notifications(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The notifications that the account can see."""
    return batch_of(NotificationRow, Notification.id, after, limit).where(
        Notification.recipient_id == user_id, Notification.hidden_at.is_(None)
    )

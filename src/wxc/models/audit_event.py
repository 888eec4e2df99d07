from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class AuditKind(StrEnum):
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGIN_THROTTLED = "login_throttled"
    REGISTERED = "registered"
    REFRESH_REUSED = "refresh_reused"
    GENERATION_RESTORED = "generation_restored"
    """A refresh token was newer than its session, as after a restore from a backup."""
    SESSION_ENDED = "session_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name, not a secret
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a name, not a secret
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGE_CANCELLED = "email_change_cancelled"
    EMAIL_CHANGED = "email_changed"
    EMAIL_RESTORED = "email_restored"
    USERNAME_CHANGED = "username_changed"
    EXPORTED = "exported"
    ACCOUNT_DELETED = "account_deleted"
    SUSPENDED = "suspended"
    RESTORED = "restored"
    ACCESS_REFUSED = "access_refused"
    REPORT_CLOSED = "report_closed"


class AuditEvent(Base):
    """An event in the audit trail; a trigger refuses updates and deletions within 30 days."""

    __tablename__ = "audit_events"

    id: Mapped[IdKey]
    """Ordered by time: expired events are found by it."""
    at: Mapped[CreatedAt]
    event: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    """`client` for a request; for the `wxc` command, `operator` and the system account."""
    user_id: Mapped[UUID | None] = mapped_column()
    """The user concerned; no foreign key, since the trail outlives the account."""
    session_id: Mapped[UUID | None]
    """The session that acted, or that a login opened."""
    address_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    """A keyed hash of the client's IP address."""
    request_id: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (
        # A user's events, newest first.
        Index("ix_audit_events_user_id_id", user_id, "id"),
        CheckConstraint("event ~ '^[a-z_]+$'", name="event_form"),
        CheckConstraint("octet_length(address_hash) = 32", name="address_hash_length"),
        CheckConstraint(
            "jsonb_typeof(detail) = 'object' AND octet_length(detail::text) <= 4096",
            name="detail_small",
        ),
    )

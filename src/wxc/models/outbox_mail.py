from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class MailKind(StrEnum):
    VERIFICATION = "verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a name, not a secret
    EMAIL_CHANGE = "email_change"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name, not a secret
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    NEW_DEVICE = "new_device"
    EMAIL_RESTORED = "email_restored"


NOTICE_KINDS = frozenset(
    {
        MailKind.PASSWORD_CHANGED,
        MailKind.EMAIL_CHANGE_REQUESTED,
        MailKind.EMAIL_CHANGED,
        MailKind.EMAIL_RESTORED,
        MailKind.NEW_DEVICE,
    }
)
"""Mails that inform the owner of an account; no user requests them."""


class MailState(StrEnum):
    """The delivery state of a mail; all but `WAITING` are final."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"
    DEAD = "dead"


class OutboxMail(Base):
    """Inserted by the transaction that causes the mail; the id determines Message-ID and token."""

    __tablename__ = "outbox_mails"

    id: Mapped[IdKey]
    kind: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """NULL if only the address is known; the worker looks up the account."""
    address: Mapped[str] = mapped_column(String(254))
    dedup_key: Mapped[str] = mapped_column(String(100), unique=True)
    state: Mapped[str] = mapped_column(
        String(16), default=MailState.WAITING, server_default=MailState.WAITING.value
    )
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[CreatedAt] = mapped_column()
    """When the next attempt may begin; during an attempt, when its lease ends."""
    first_attempt_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[CreatedAt]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    """What the mail says besides its kind; never text that a user has chosen."""

    __table_args__ = (
        Index("ix_outbox_mails_due_at", due_at, postgresql_where=state == MailState.WAITING),
        Index("ix_outbox_mails_finished_at", finished_at),
        Index("ix_outbox_mails_dead", finished_at, postgresql_where=state == MailState.DEAD),
        Index("ix_outbox_mails_user_id", user_id),
        CheckConstraint("address !~ '[[:cntrl:]]'", name="address_one_line"),
        CheckConstraint("state IN ('waiting', 'sent', 'dropped', 'dead')", name="state_known"),
    )

"""Notifications."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class NotificationType(StrEnum):
    """What a notification tells."""

    FOLLOW = "follow"
    POST_LIKE = "post_like"
    COMMENT_LIKE = "comment_like"
    POST_COMMENT = "post_comment"
    COMMENT_REPLY = "comment_reply"
    MENTION = "mention"
    EXCHANGE_EXPIRING = "exchange_expiring"


class Notification(Base):
    """Somebody did something that concerns the recipient; its id is its place in every list."""

    __tablename__ = "notifications"

    id: Mapped[IdKey]
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """NULL where nobody did it."""
    subject_id: Mapped[UUID] = mapped_column()
    """What it is about: with type, actor and recipient there is one notification at most."""
    group_id: Mapped[UUID] = mapped_column()
    """What lists show as one: likes of one subject, follows of one UTC day, else itself."""
    post_id: Mapped[UUID | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    comment_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    hidden_at: Mapped[datetime | None] = mapped_column()
    """It was undone; doing it again shows the notification where it was."""
    read_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        # The actor first, so that it also finds all between two people.
        UniqueConstraint(
            actor_id, recipient_id, type, subject_id, postgresql_nulls_not_distinct=True
        ),
        Index(
            "ix_notifications_recipient_id_id",
            recipient_id,
            "id",
            postgresql_include=["group_id"],
            postgresql_where=hidden_at.is_(None),
        ),
        Index(
            "ix_notifications_recipient_id_group_id_id",
            recipient_id,
            group_id,
            "id",
            postgresql_where=hidden_at.is_(None),
        ),
        Index(
            "ix_notifications_unread",
            recipient_id,
            group_id,
            postgresql_where=hidden_at.is_(None) & read_at.is_(None),
        ),
        Index("ix_notifications_post_id", post_id, postgresql_where=post_id.isnot(None)),
        Index("ix_notifications_comment_id", comment_id, postgresql_where=comment_id.isnot(None)),
        CheckConstraint("actor_id <> recipient_id", name="not_ones_own"),
    )

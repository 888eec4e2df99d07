from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class NotificationType(StrEnum):
    FOLLOW = "follow"
    POST_LIKE = "post_like"
    COMMENT_LIKE = "comment_like"
    POST_COMMENT = "post_comment"
    COMMENT_REPLY = "comment_reply"
    MENTION = "mention"
    EXCHANGE_EXPIRING = "exchange_expiring"


class Notification(Base):
    __tablename__ = "notifications"

    id: Mapped[IdKey]
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """NULL for notifications by the system."""
    subject_id: Mapped[UUID] = mapped_column()
    """The post, comment or user; unique together with type, actor and recipient."""
    group_id: Mapped[UUID] = mapped_column()
    """Lists have one entry per group: likes of a subject, follows of a UTC day, else one row."""
    post_id: Mapped[UUID | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    comment_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    hidden_at: Mapped[datetime | None] = mapped_column()
    """When the action was undone; repeating it restores the notification at its old position."""
    read_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        # The actor comes first, to also find the notifications between two users.
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

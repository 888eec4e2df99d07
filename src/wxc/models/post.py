from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class Post(Base):
    __tablename__ = "posts"

    id: Mapped[IdKey]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)
    likes_count: Mapped[int] = mapped_column(default=0, server_default="0")
    comments_count: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Incremented when the body is replaced."""
    created_at: Mapped[CreatedAt]
    edited_at: Mapped[datetime | None]

    __table_args__ = (
        # For profiles and feeds.
        Index("ix_posts_author_id_id", author_id, "id"),
        CheckConstraint("char_length(body) BETWEEN 1 AND 5000", name="body_length"),
        CheckConstraint("likes_count >= 0 AND comments_count >= 0", name="counts_not_negative"),
    )

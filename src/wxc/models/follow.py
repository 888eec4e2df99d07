from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class Follow(Base):
    __tablename__ = "follows"

    id: Mapped[IdKey]
    follower_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    followed_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint(follower_id, followed_id),
        Index("ix_follows_follower_id_id", follower_id, "id"),
        Index("ix_follows_followed_id_id", followed_id, "id"),
        CheckConstraint("follower_id <> followed_id", name="not_oneself"),
    )

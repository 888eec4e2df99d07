from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class Mute(Base):
    """Hides posts and notifications of the muted user; lists are ordered by id."""

    __tablename__ = "mutes"

    id: Mapped[IdKey]
    muter_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    muted_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint(muter_id, muted_id),
        Index("ix_mutes_muter_id_id", muter_id, "id"),
        Index("ix_mutes_muted_id_id", muted_id, "id"),
        CheckConstraint("muter_id <> muted_id", name="not_oneself"),
    )

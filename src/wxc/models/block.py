from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class Block(Base):
    """Neither of the two users can see the other; lists are ordered by id."""

    __tablename__ = "blocks"

    id: Mapped[IdKey]
    blocker_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    blocked_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint(blocker_id, blocked_id),
        Index("ix_blocks_blocker_id_id", blocker_id, "id"),
        Index("ix_blocks_blocked_id_id", blocked_id, "id"),
        CheckConstraint("blocker_id <> blocked_id", name="not_oneself"),
    )

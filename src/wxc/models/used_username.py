from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt


class UsedUsername(Base):
    """A folded username, reserved for its first user even after the account is deleted."""

    __tablename__ = "used_usernames"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    user_id: Mapped[UUID] = mapped_column()
    """No foreign key: the row is inserted before the account and outlives it."""
    taken_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("ix_used_usernames_user_id_name", user_id, name),
        CheckConstraint("name ~ '^[a-z0-9_]{3,30}$'", name="form"),
    )

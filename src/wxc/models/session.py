from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class Session(Base):
    """A login on one device; setting `revoked_at` ends it on all instances."""

    __tablename__ = "sessions"

    id: Mapped[IdKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    generation: Mapped[int] = mapped_column(default=0, server_default="0")
    """Counts refreshes; the refresh token of generation n is derived from it, never stored."""
    refreshed_at: Mapped[datetime | None]
    """When the generation was last incremented; the previous one stays valid for 30 s."""
    user_agent: Mapped[str | None] = mapped_column(String(256))
    place: Mapped[str | None] = mapped_column(String(64))
    """The approximate place of last use, from GeoIP data."""
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[CreatedAt]
    idle_until: Mapped[datetime]
    expires_at: Mapped[datetime]
    """The absolute end, by default 30 days after the login."""
    revoked_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        Index("ix_sessions_user_id", user_id),
        # Polled once a second for newly revoked sessions.
        Index("ix_sessions_revoked_at", revoked_at, postgresql_where=revoked_at.isnot(None)),
        CheckConstraint("generation >= 0", name="generation_not_negative"),
        CheckConstraint("idle_until <= expires_at", name="idle_within_lifetime"),
    )

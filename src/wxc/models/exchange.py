from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class Exchange(Base):
    """A user's board; every write to the board or its rates locks this row."""

    __tablename__ = "exchanges"

    id: Mapped[IdKey]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    base_currency: Mapped[str] = mapped_column(String(3))
    description: Mapped[str | None] = mapped_column(String(1000))
    address: Mapped[str | None] = mapped_column(String(200))
    location: Mapped[Any | None] = mapped_column(Geography("POINT", srid=4326, spatial_index=False))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    opening_hours: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """As in the API: `weekday`, `opens` and `closes`, in local time."""
    valid_for_hours: Mapped[int] = mapped_column()
    confirmed_at: Mapped[datetime]
    """When the owner last replaced or confirmed the board."""
    remind_at: Mapped[datetime | None] = mapped_column()
    """When to notify the owner that the board goes stale; NULL once notified."""
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=0)
    """Incremented when the board is replaced; not by confirmations."""
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("ix_exchanges_location", location, postgresql_using="gist"),
        Index("ix_exchanges_remind_at", remind_at, postgresql_where=remind_at.isnot(None)),
        CheckConstraint("base_currency ~ '^[A-Z]{3}$'", name="base_currency_form"),
        CheckConstraint("valid_for_hours BETWEEN 1 AND 168", name="valid_for_hours_bounded"),
        CheckConstraint(
            "jsonb_typeof(opening_hours) = 'array' AND jsonb_array_length(opening_hours) <= 28",
            name="opening_hours_bounded",
        ),
    )

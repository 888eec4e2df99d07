from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, IdKey


class ExchangeConfirmation(Base):
    """The owner replaced or confirmed the board; append-only, like `RateEvent`."""

    __tablename__ = "exchange_confirmations"

    id: Mapped[IdKey]
    exchange_id: Mapped[UUID] = mapped_column(ForeignKey("exchanges.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column()
    base_currency: Mapped[str] = mapped_column(String(3))
    valid_for_hours: Mapped[int]

    __table_args__ = (UniqueConstraint(exchange_id, at),)

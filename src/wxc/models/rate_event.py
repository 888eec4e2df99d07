from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, IdKey
from wxc.models.exchange_rate import RATE_CHECKS


class RateEvent(Base):
    """A change of a line of a board; both rates are NULL if the line was removed.

    A trigger refuses updates, and deletions unless the board or its owner's account is deleted.
    """

    __tablename__ = "rate_events"

    id: Mapped[IdKey]
    """Increases with `seq` within a board."""
    exchange_id: Mapped[UUID] = mapped_column(ForeignKey("exchanges.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column()
    """1, 2, 3 …: assigned while the board's row is locked."""
    at: Mapped[datetime] = mapped_column()
    currency: Mapped[str] = mapped_column(String(3))
    base_currency: Mapped[str] = mapped_column(String(3))
    unit: Mapped[int]
    we_buy: Mapped[Decimal | None] = mapped_column(Numeric())
    we_sell: Mapped[Decimal | None] = mapped_column(Numeric())
    min_amount: Mapped[Decimal | None] = mapped_column(Numeric())
    max_amount: Mapped[Decimal | None] = mapped_column(Numeric())
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    """The hash of this event and the previous hash, see `exchange/domain/chain.py`."""

    __table_args__ = (
        UniqueConstraint(exchange_id, seq),
        UniqueConstraint(exchange_id, currency, at),
        CheckConstraint("seq > 0", name="seq_positive"),
        CheckConstraint("octet_length(hash) = 32", name="hash_length"),
        *(CheckConstraint(rule, name=name) for name, rule in RATE_CHECKS.items()),
    )

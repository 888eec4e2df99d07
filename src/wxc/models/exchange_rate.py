from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, IdKey

# NaN and Infinity are greater than every number, so the bounds also exclude them. A numeric without
# a precision stores the digits as entered.
RATE_CHECKS = {
    "currency_form": "currency ~ '^[A-Z]{3}$'",
    "base_currency_form": "base_currency ~ '^[A-Z]{3}$'",
    "currency_foreign": "currency <> base_currency",
    "unit_known": "unit IN (1, 10, 100, 1000, 10000)",
    "we_buy_bounded": "we_buy > 0 AND we_buy < 1e12 AND scale(we_buy) <= 10",
    "we_sell_bounded": "we_sell > 0 AND we_sell < 1e12 AND scale(we_sell) <= 10",
    "we_buy_not_above_we_sell": "we_buy <= we_sell",
    "min_amount_bounded": "min_amount >= 0 AND min_amount < 1e12 AND scale(min_amount) <= 10",
    "max_amount_bounded": "max_amount >= 0 AND max_amount < 1e12 AND scale(max_amount) <= 10",
    "min_amount_not_above_max_amount": "min_amount <= max_amount",
}


class ExchangeRate(Base):
    """A line of a board and its period of validity; replaced lines are kept for an hour.

    Older rates are rebuilt from `RateEvent`.
    """

    __tablename__ = "exchange_rates"

    id: Mapped[IdKey]
    exchange_id: Mapped[UUID] = mapped_column(ForeignKey("exchanges.id", ondelete="CASCADE"))
    currency: Mapped[str] = mapped_column(String(3))
    base_currency: Mapped[str] = mapped_column(String(3))
    unit: Mapped[int]
    we_buy: Mapped[Decimal | None] = mapped_column(Numeric())
    we_sell: Mapped[Decimal | None] = mapped_column(Numeric())
    min_amount: Mapped[Decimal | None] = mapped_column(Numeric())
    max_amount: Mapped[Decimal | None] = mapped_column(Numeric())
    valid_from: Mapped[datetime] = mapped_column()
    valid_to: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        Index(
            "uq_exchange_rates_exchange_id_currency",
            exchange_id,
            currency,
            unique=True,
            postgresql_where=valid_to.is_(None),
        ),
        Index("ix_exchange_rates_exchange_id_valid_to", exchange_id, valid_to),
        Index("ix_exchange_rates_currency_exchange_id", currency, exchange_id),
        Index("ix_exchange_rates_currency_valid_from_id", currency, valid_from, "id"),
        CheckConstraint("num_nonnulls(we_buy, we_sell) > 0", name="offered"),
        CheckConstraint("valid_from < valid_to", name="shown_for_a_while"),
        *(CheckConstraint(rule, name=name) for name, rule in RATE_CHECKS.items()),
    )

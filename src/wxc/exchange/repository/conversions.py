"""SQL that says what a conversion comes to by the boards of one instant."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Numeric,
    and_,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from wxc.core.decimals import MAX_INTEGER_DIGITS
from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind
from wxc.exchange.domain.quotes import ConversionRequest
from wxc.exchange.search_area import Search
from wxc.models import Exchange, ExchangeRate
from wxc.social.users.repository import Entity

_bought: Any = aliased(ExchangeRate)  # the line of what the customer pays
_sold: Any = aliased(ExchangeRate)  # the line of what the customer receives


def received_amounts(conversion: ConversionRequest, minor_units: int) -> LateralFromClause:
    """How many of the smallest units one `received`: `quotes.convert`, in whole numbers of SQL.

    `div` truncates the exact quotient, and so rounds down. OFFSET keeps PostgreSQL from putting
    the whole formula wherever its result is used, and computing it five times a board.
    """
    amount = bind(conversion.from_amount) * 10**minor_units
    paid = amount * func.coalesce(_bought.we_buy, 1)
    top = paid * func.coalesce(_sold.unit, 1)
    bottom = func.coalesce(_bought.unit, 1) * func.coalesce(_sold.we_sell, 1)
    received = func.div(top, bottom, type_=Numeric()).label("received")
    return select(received).correlate(_bought, _sold).offset(0).lateral("amounts")


def quotable(
    found: AnySelect, search: Search, amounts: LateralFromClause, instant: datetime
) -> AnySelect:
    """Only boards that can do the conversion, whatever it comes to."""
    conversion, received = search.conversion, amounts.c.received
    if conversion is None:
        return found
    per_unit = 10**search.minor_units
    offered = or_(
        and_(_sold.base_currency == conversion.source, _sold.we_sell.isnot(None)),
        and_(_bought.base_currency == conversion.target, _bought.we_buy.isnot(None)),
        and_(_bought.we_buy.isnot(None), _sold.we_sell.isnot(None)),
    )
    return (
        found.outerjoin(_bought, _is_line(_bought, conversion.source, instant))
        .outerjoin(_sold, _is_line(_sold, conversion.target, instant))
        .join(amounts, true())
        .where(
            offered,
            _allows(_bought, bind(conversion.from_amount), 1),
            _allows(_sold, received, per_unit),
            received > 0,
            received < 10**MAX_INTEGER_DIGITS * per_unit,
        )
    )


def recently_changed(
    conversion: ConversionRequest, instant: datetime, limit: int
) -> CompoundSelect[*tuple[Any, ...]]:
    """Boards whose lines for either currency changed last, up to `limit` of each kind: the other
    currency is their base, or neither is.

    For neither, both lines count: where one of the currencies is rare, its lines lead to all.

    What was shown at the instant stays as it is, so every page compares the same boards.
    """
    source, target, base = conversion.source, conversion.target, ExchangeRate.base_currency
    kinds = (
        and_(ExchangeRate.currency == target, base == source),
        and_(ExchangeRate.currency == source, base == target),
        and_(ExchangeRate.currency == source, base != target),
        and_(ExchangeRate.currency == target, base != source),
    )
    return union_all(
        *(
            select(ExchangeRate.exchange_id)
            .where(kind, *shown_at(ExchangeRate, instant))
            .order_by(ExchangeRate.valid_from.desc(), ExchangeRate.id.desc())
            .limit(limit)
            for kind in kinds
        )
    )


def shown_at(rate: Entity, instant: datetime) -> tuple[ColumnElement[bool], ...]:
    """Whether the line was on its board at that instant."""
    return rate.valid_from <= instant, or_(rate.valid_to.is_(None), rate.valid_to > instant)


def _is_line(rate: Entity, currency: str, instant: datetime) -> ColumnElement[bool]:
    return and_(
        rate.exchange_id == Exchange.id, rate.currency == currency, *shown_at(rate, instant)
    )


def _allows(rate: Entity, amount: ColumnElement[Any], per_unit: int) -> ColumnElement[bool]:
    """Whether the line's limits allow the amount, which is in parts of a unit."""
    return and_(
        or_(rate.min_amount.is_(None), amount >= rate.min_amount * per_unit),
        or_(rate.max_amount.is_(None), amount <= rate.max_amount * per_unit),
    )

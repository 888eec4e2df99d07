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
from wxc.exchange.domain.search import SearchRequest
from wxc.models import Exchange, ExchangeRate
from wxc.social.users.repository import Entity

_source_line: Any = aliased(ExchangeRate)  # for the currency that the customer pays
_target_line: Any = aliased(ExchangeRate)  # for the currency that the customer receives


def received_amounts(conversion: ConversionRequest, minor_units: int) -> LateralFromClause:
    """The amount `received` in minor units: `domain.quotes.convert` with integers, in SQL.

    `div` truncates the exact quotient, which rounds down. OFFSET keeps PostgreSQL from inlining
    the formula and computing it five times for each board.
    """
    amount = bind(conversion.from_amount) * 10**minor_units
    paid = amount * func.coalesce(_source_line.we_buy, 1)
    numerator = paid * func.coalesce(_target_line.unit, 1)
    denominator = func.coalesce(_source_line.unit, 1) * func.coalesce(_target_line.we_sell, 1)
    received = func.div(numerator, denominator, type_=Numeric()).label("received")
    return select(received).correlate(_source_line, _target_line).offset(0).lateral("amounts")


def with_conversion(
    boards: AnySelect, request: SearchRequest, amounts: LateralFromClause, instant: datetime
) -> AnySelect:
    """Restrict `boards` to those that can do the conversion of the request."""
    conversion, received = request.conversion, amounts.c.received
    if conversion is None:
        return boards
    per_unit = 10**request.minor_units
    is_offered = or_(
        and_(_target_line.base_currency == conversion.source, _target_line.we_sell.isnot(None)),
        and_(_source_line.base_currency == conversion.target, _source_line.we_buy.isnot(None)),
        and_(_source_line.we_buy.isnot(None), _target_line.we_sell.isnot(None)),
    )
    return (
        boards.outerjoin(_source_line, _is_line_of(_source_line, conversion.source, instant))
        .outerjoin(_target_line, _is_line_of(_target_line, conversion.target, instant))
        .join(amounts, true())
        .where(
            is_offered,
            _allows(_source_line, bind(conversion.from_amount), 1),
            _allows(_target_line, received, per_unit),
            received > 0,
            received < 10**MAX_INTEGER_DIGITS * per_unit,
        )
    )


def recently_changed(
    conversion: ConversionRequest, instant: datetime, limit: int
) -> CompoundSelect[*tuple[Any, ...]]:
    """Boards whose lines for either currency changed last, up to `limit` per kind of line.

    The base of a line is the other currency or a third one. With a third one, the lines of both
    currencies count: if one of them is rare, its lines lead to every board that has both. Lines at
    a past instant do not change, so every page compares the same boards.
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
            .where(kind, *valid_at(ExchangeRate, instant))
            .order_by(ExchangeRate.valid_from.desc(), ExchangeRate.id.desc())
            .limit(limit)
            for kind in kinds
        )
    )


def valid_at(rate: Entity, instant: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions for the line being on the board at that instant."""
    return rate.valid_from <= instant, or_(rate.valid_to.is_(None), rate.valid_to > instant)


def _is_line_of(rate: Entity, currency: str, instant: datetime) -> ColumnElement[bool]:
    return and_(
        rate.exchange_id == Exchange.id, rate.currency == currency, *valid_at(rate, instant)
    )


def _allows(rate: Entity, amount: ColumnElement[Any], per_unit: int) -> ColumnElement[bool]:
    """Whether the line's limits allow `amount`, which is in 1/`per_unit` of the currency."""
    return and_(
        or_(rate.min_amount.is_(None), amount >= rate.min_amount * per_unit),
        or_(rate.max_amount.is_(None), amount <= rate.max_amount * per_unit),
    )

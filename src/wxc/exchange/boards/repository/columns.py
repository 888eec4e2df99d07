from collections.abc import Sequence
from datetime import datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    String,
    Text,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import LateralFromClause

from wxc.core.currencies import all_currency_codes
from wxc.models import Exchange, ExchangeConfirmation, ExchangeRate, RateEvent
from wxc.social.users.repository import summary_columns

LINE_COLUMNS = ("currency", "unit", "we_buy", "we_sell", "min_amount", "max_amount")
RateLine = tuple[str, int, str | None, str | None, str | None, str | None]
"""The values of `LINE_COLUMNS`; numbers are PostgreSQL's `numeric::text`."""
_POINT = cast(Exchange.location, Geometry("POINT", srid=4326))
COORDINATES = (func.ST_Y(_POINT).label("lat"), func.ST_X(_POINT).label("lon"))
BOARD_COLUMNS = (
    Exchange.id,
    Exchange.name,
    Exchange.description,
    Exchange.address,
    *COORDINATES,
    Exchange.time_zone,
    Exchange.opening_hours,
    Exchange.updated_at,
    Exchange.version,
    Exchange.confirmed_at.label("current_confirmed_at"),
    Exchange.valid_for_hours.label("current_valid_for_hours"),
)
"""The columns of a board that have their current values even for `as_of`."""
OWNER_COLUMNS = summary_columns(id_name="owner_id")


def point(lat: Any, lon: Any) -> ColumnElement[Any]:  # noqa: ANN401 - floats or expressions
    """`ST_MakePoint` takes the longitude first."""
    return func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)


def lines_where(*conditions: ColumnElement[bool]) -> LateralFromClause:
    """The board's rate lines that satisfy the conditions."""
    return (
        select(*(getattr(ExchangeRate, name) for name in LINE_COLUMNS))
        .where(ExchangeRate.exchange_id == Exchange.id, *conditions)
        .correlate(Exchange)
        .lateral("lines")
    )


def aggregate_lines(lines: LateralFromClause) -> ColumnElement[Any]:
    """The `lines` of a board as one array, so that the other columns are sent only once."""
    line = func.row(*(_as_text(lines.c[name]) for name in LINE_COLUMNS))
    by_currency = postgresql.aggregate_order_by(line, lines.c.currency)
    return (
        select(func.array_agg(by_currency))
        .select_from(lines)
        .correlate(Exchange)
        .scalar_subquery()
        .label("lines")
    )


def terms_at(moment: datetime) -> LateralFromClause:
    """The terms (base currency, validity, time) of the last confirmation up to `moment`, if any.

    The board itself has the terms of its latest confirmation. Older confirmations are read only if
    that one is later than `moment`.
    """
    earlier = (
        select(
            ExchangeConfirmation.base_currency,
            ExchangeConfirmation.valid_for_hours,
            ExchangeConfirmation.at,
        )
        .where(
            Exchange.confirmed_at > moment,
            ExchangeConfirmation.exchange_id == Exchange.id,
            ExchangeConfirmation.at <= moment,
        )
        .order_by(ExchangeConfirmation.at.desc())
        .limit(1)
        .correlate(Exchange)
    )
    current = select(*current_terms()).where(Exchange.confirmed_at <= moment).correlate(Exchange)
    return union_all(current, earlier).lateral("terms")


def lines_from_history(names: Sequence[str], moment: datetime | None) -> LateralFromClause:
    """The rate lines as of `moment` (None: now): the last rate event of each currency.

    Costs one index lookup per ISO 4217 currency, current or retired, however long the history.
    """
    codes = (
        func.unnest(literal(list(all_currency_codes()), ARRAY(String())))
        .table_valued(column("code", String), name="codes")
        .render_derived()
    )
    last = (
        select(*(getattr(RateEvent, name) for name in names))
        .where(
            RateEvent.exchange_id == Exchange.id,
            RateEvent.currency == codes.c.code,
            true() if moment is None else RateEvent.at <= moment,
        )
        .order_by(RateEvent.at.desc())
        .limit(1)
        .correlate(Exchange, codes)
        .lateral("last")
    )
    return (
        select(*last.c)
        .select_from(codes)
        .join(last, true())
        .where(or_(last.c.we_buy.isnot(None), last.c.we_sell.isnot(None)))
        .correlate(Exchange)
        .lateral("lines")
    )


def current_terms() -> tuple[InstrumentedAttribute[Any], ...]:
    """The terms of the latest confirmation."""
    return Exchange.base_currency, Exchange.valid_for_hours, Exchange.confirmed_at


def _as_text(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, Text) if isinstance(value.type, Numeric) else value

"""SQL for finding boards by what they showed at one instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    DateTime,
    Float,
    Interval,
    Numeric,
    Uuid,
    and_,
    any_,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from wxc.core.currencies import currencies
from wxc.core.database import AnyEntity, AnyRow, AnySelect, Reader, rows_of
from wxc.core.decimals import DIGITS_BEFORE_POINT
from wxc.core.statements import Fixed, built_once
from wxc.db.keyset import USUAL_LIMITS
from wxc.exchange.freshness import EXPIRES_AFTER
from wxc.exchange.quotes import Wish
from wxc.exchange.repository.boards import BOARD, OWNER, lines_where, point, terms_at, together
from wxc.exchange.searching import Circle, Position, Search, Sort
from wxc.models import Exchange, ExchangeRate, User
from wxc.users.visibility import visible_to

_bought: Any = aliased(ExchangeRate)  # the line of what the customer pays
_sold: Any = aliased(ExchangeRate)  # the line of what the customer receives
_HOURS: tuple[Any, ...] = (Exchange.id, Exchange.time_zone, Exchange.opening_hours)
_NOTHING = literal(None, Float())
MOST_COMPARED = 500
"""Of each kind of boards that are compared where no place bounds them: those changed last."""


class SearchReader:
    """Boards that a viewer may find."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def boards(
        self,
        search: Search,
        viewer_id: UUID | None,
        instant: datetime,
        position: Position | None,
        most: int,
    ) -> Sequence[AnyRow]:
        """Up to `most` boards in order: rows as of `ExchangeReader.of`, `key` and `distance`."""
        statement = _page(search, viewer_id, instant, position, most, with_lines=True)
        return rows_of(await self.reader.execute(*statement))

    async def hours(
        self,
        search: Search,
        viewer_id: UUID | None,
        instant: datetime,
        position: Position | None,
        most: int,
    ) -> Sequence[AnyRow]:
        """`(id, key, time_zone, opening_hours)` of up to `most` boards in order."""
        statement = _page(search, viewer_id, instant, position, most, with_lines=False)
        return rows_of(await self.reader.execute(*statement))

    async def among(
        self, ids: Sequence[UUID], search: Search, viewer_id: UUID | None, instant: datetime
    ) -> Sequence[AnyRow]:
        """Those of these boards that the search is about, in rows as of `boards`."""
        most = max(1, len(ids))
        statement = _page(search, viewer_id, instant, None, most, with_lines=True, ids=ids)
        return rows_of(await self.reader.execute(*statement))


def _page(
    search: Search,
    viewer_id: UUID | None,
    instant: datetime,
    position: Position | None,
    most: int,
    *,
    with_lines: bool,
    ids: Sequence[UUID] | None = None,
) -> tuple[AnySelect, dict[str, Any]]:
    circle, wish = search.circle, search.wish
    minor_units = currencies()[wish.target].minor_units if wish else 0
    return _page_of(
        _Asked(search.sort, search.with_stale, with_lines, minor_units),
        viewer_id,
        instant,
        lat=circle.lat if circle else None,
        lon=circle.lon if circle else None,
        metres=circle.metres if circle else None,
        source=wish.source if wish else None,
        target=wish.target if wish else None,
        amount=wish.from_amount if wish else None,
        key=position.key if position else None,
        exchange_id=position.exchange_id if position else None,
        ids=None if ids is None else list(ids),
        most=Fixed(most) if most - 1 in USUAL_LIMITS else most,
        compared=Fixed(MOST_COMPARED),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the statement of a search depends on, beside what it compares with."""

    sort: Sort
    with_stale: bool
    with_lines: bool
    minor_units: int
    """Of the currency that is received; 0 without a conversion."""


@built_once
def _page_of(
    asked: _Asked,
    viewer_id: UUID | None,
    instant: datetime,
    *,
    lat: float | None,
    lon: float | None,
    metres: float | None,
    source: str | None,
    target: str | None,
    amount: Decimal | None,
    key: Decimal | float | None,
    exchange_id: UUID | None,
    ids: list[UUID] | None,
    most: int,
    compared: int,
) -> AnySelect:
    circle = None if lat is None or lon is None or metres is None else Circle(lat, lon, metres)
    wish = None if source is None or target is None else Wish(source, target, amount, None)
    found = _found(asked, viewer_id, instant, circle, wish)
    if ids is not None:
        found = found.where(Exchange.id == any_(type_coerce(ids, ARRAY(Uuid()))))
    elif circle is None and wish is not None:
        found = found.where(Exchange.id.in_(_dealing_lately(wish, instant, compared)))
    rows = found.subquery("found")
    statement: AnySelect = select(rows).order_by(rows.c.key, rows.c.id).limit(most)
    if exchange_id is not None:
        last = tuple_(type_coerce(key, rows.c.key.type), type_coerce(exchange_id, Uuid()))
        statement = statement.where(tuple_(rows.c.key, rows.c.id) > last)
    return statement


def _found(
    asked: _Asked,
    viewer_id: UUID | None,
    instant: datetime,
    circle: Circle | None,
    wish: Wish | None,
) -> AnySelect:
    """All boards that the search is about, with the `key` of their order."""
    center = None if circle is None else _center(circle)
    distance = _NOTHING if center is None else _distance(center)
    amounts = None if wish is None else _amounts(wish, asked.minor_units)
    received = None if amounts is None else amounts.c.received
    # What one receives most comes first, so its key rises where the amount falls.
    order = distance if asked.sort is Sort.DISTANCE or received is None else -received
    terms, columns = terms_at(instant), _HOURS
    if asked.with_lines:
        lines = lines_where(*_shown(ExchangeRate, instant))
        columns = (*BOARD, *OWNER, *terms.c, together(lines), distance.label("distance"))
    found = (
        select(*columns, order.label("key"))
        .select_from(Exchange)
        .join(User, User.id == Exchange.owner_id)
        .join(terms, true())
        .where(visible_to(viewer_id), _is_fresh(terms, instant, with_stale=asked.with_stale))
    )
    if circle is not None and center is not None:
        found = found.join(center, _is_within(center, circle.metres))
    if wish is not None and amounts is not None:
        found = _doing(found, wish, amounts, asked.minor_units, instant)
    return found


def _distance(center: LateralFromClause) -> ColumnElement[Any]:
    return func.ST_Distance(Exchange.location, center.c.place, type_=Float())


def _is_within(center: LateralFromClause, metres: float) -> ColumnElement[bool]:
    within: ColumnElement[bool] = func.ST_DWithin(Exchange.location, center.c.place, metres)
    return within


def _center(circle: Circle) -> LateralFromClause:
    """One row with the `place`.

    OFFSET keeps PostgreSQL from making the place anew for each board; it would also think so ill
    of a plan for any place that it planned every search.
    """
    place = cast(point(circle.lat, circle.lon), Geography("POINT", srid=4326))
    return select(place.label("place")).offset(0).lateral("center")


def _is_fresh(terms: AnyEntity, instant: datetime, *, with_stale: bool) -> ColumnElement[bool]:
    share = EXPIRES_AFTER if with_stale else 1
    validity = func.make_interval(0, 0, 0, 0, share * terms.c.valid_for_hours, type_=Interval())
    is_fresh: ColumnElement[bool] = (
        type_coerce(instant, DateTime(timezone=True)) - terms.c.confirmed_at < validity
    )
    return is_fresh


def _amounts(wish: Wish, minor_units: int) -> LateralFromClause:
    """How many of the smallest units one `received`: `quotes.convert`, in whole numbers of SQL.

    `div` cuts the exact quotient, and so rounds down. OFFSET keeps PostgreSQL from putting the
    whole formula wherever its result is used, and doing it five times a board.
    """
    amount = type_coerce(wish.from_amount, Numeric()) * 10**minor_units
    paid = amount * func.coalesce(_bought.we_buy, 1)
    top = paid * func.coalesce(_sold.unit, 1)
    bottom = func.coalesce(_bought.unit, 1) * func.coalesce(_sold.we_sell, 1)
    received = func.div(top, bottom, type_=Numeric()).label("received")
    return select(received).correlate(_bought, _sold).offset(0).lateral("amounts")


def _doing(
    found: AnySelect,
    wish: Wish,
    amounts: LateralFromClause,
    minor_units: int,
    instant: datetime,
) -> AnySelect:
    """Only boards that can do the conversion, for whatever comes of it."""
    received = amounts.c.received
    offered = or_(
        and_(_sold.base_currency == wish.source, _sold.we_sell.isnot(None)),
        and_(_bought.base_currency == wish.target, _bought.we_buy.isnot(None)),
        and_(_bought.we_buy.isnot(None), _sold.we_sell.isnot(None)),
    )
    return (
        found.outerjoin(_bought, _is_line(_bought, wish.source, instant))
        .outerjoin(_sold, _is_line(_sold, wish.target, instant))
        .join(amounts, true())
        .where(
            offered,
            _allows(_bought, type_coerce(wish.from_amount, Numeric()), 1),
            _allows(_sold, received, 10**minor_units),
            received > 0,
            received < 10 ** (DIGITS_BEFORE_POINT + minor_units),
        )
    )


def _dealing_lately(wish: Wish, instant: datetime, most: int) -> CompoundSelect[*tuple[Any, ...]]:
    """Boards that have changed a line for either currency last, with the other one as their base
    or neither.

    For neither, both lines count: where one of the currencies is rare, its lines lead to all.

    What was shown at the instant stays as it is, so every page compares the same boards.
    """
    has_base = ExchangeRate.base_currency
    lines = (
        and_(ExchangeRate.currency == wish.target, has_base == wish.source),
        and_(ExchangeRate.currency == wish.source, has_base == wish.target),
        and_(ExchangeRate.currency == wish.source, has_base != wish.target),
        and_(ExchangeRate.currency == wish.target, has_base != wish.source),
    )
    return union_all(
        *(
            select(ExchangeRate.exchange_id)
            .where(line, *_shown(ExchangeRate, instant))
            .order_by(ExchangeRate.valid_from.desc(), ExchangeRate.id.desc())
            .limit(most)
            for line in lines
        )
    )


def _is_line(rate: AnyEntity, currency: str, instant: datetime) -> ColumnElement[bool]:
    return and_(rate.exchange_id == Exchange.id, rate.currency == currency, *_shown(rate, instant))


def _shown(rate: AnyEntity, instant: datetime) -> tuple[ColumnElement[bool], ...]:
    return rate.valid_from <= instant, or_(rate.valid_to.is_(None), rate.valid_to > instant)


def _allows(
    rate: AnyEntity,
    amount: ColumnElement[Any],
    per_unit: int,
) -> ColumnElement[bool]:
    """Whether the line's limits let the amount pass, which is in parts of a unit."""
    return and_(
        or_(rate.min_amount.is_(None), amount >= rate.min_amount * per_unit),
        or_(rate.max_amount.is_(None), amount <= rate.max_amount * per_unit),
    )

"""SQL that finds boards by what they showed at one instant."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import (
    ColumnElement,
    Float,
    Interval,
    any_,
    cast,
    func,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.selectable import LateralFromClause
from sqlalchemy.types import NullType

from wxc.db.keyset import AnySelect, PageRequest, Rank
from wxc.db.prepared import bind, prepared
from wxc.exchange.domain.freshness import EXPIRES_AFTER
from wxc.exchange.repository.boards import (
    BOARD,
    OWNER,
    Line,
    aggregate_lines,
    lines_where,
    point,
    terms_at,
)
from wxc.exchange.repository.conversions import (
    quotable,
    received_amounts,
    recently_changed,
    shown_at,
)
from wxc.exchange.search_area import Search, SearchArea, Sort
from wxc.models import Exchange, ExchangeRate, User
from wxc.social.users.repository import Entity
from wxc.social.users.visibility import visible_to

_NOTHING = literal(None, Float())
SearchKey = Annotated[Decimal | float | None, NullType()]
"""Where a page begins, in the order of the search; typed as the column that it is compared with."""


class FoundBoard(NamedTuple):
    """A board as a `BoardRow` has it, and its position in the search."""

    id: UUID
    name: str
    description: str | None
    address: str | None
    lat: float | None
    lon: float | None
    time_zone: str | None
    opening_hours: list[dict[str, Any]]
    updated_at: datetime
    version: int
    confirmed_now: datetime
    valid_now: int
    owner_id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    base_currency: str
    valid_for_hours: int
    confirmed_at: datetime
    lines: list[Line] | None
    distance: float | None
    """In metres; None where no place is searched for."""
    key: Decimal | float
    """The distance, or what one receives in smallest units, negated: it rises along the list."""


class FoundHours(NamedTuple):
    """When a board is open, and its position in the search."""

    id: UUID
    time_zone: str | None
    opening_hours: list[dict[str, Any]]
    key: Decimal | float


@prepared(FoundBoard)
def boards_found(
    viewer_id: UUID | None,
    instant: datetime,
    start: SearchKey,
    *,
    search: Search,
    page: PageRequest,
    compared: int,
) -> AnySelect:
    """Up to `limit + 1` boards in order.

    Where no place bounds them, only `compared` boards of each kind: those that changed last.
    """
    found = _found(viewer_id, instant, search, with_lines=True)
    return _page(_bounded(found, search, instant, compared), start, page)


@prepared(FoundHours)
def hours_found(
    viewer_id: UUID | None,
    instant: datetime,
    start: SearchKey,
    *,
    search: Search,
    page: PageRequest,
    compared: int,
) -> AnySelect:
    """The hours of the same boards."""
    found = _found(viewer_id, instant, search, with_lines=False)
    return _page(_bounded(found, search, instant, compared), start, page)


@prepared(FoundBoard)
def boards_among(
    viewer_id: UUID | None, instant: datetime, exchange_ids: Sequence[UUID], *, search: Search
) -> AnySelect:
    """Those of these boards that the search finds, in order."""
    found = _found(viewer_id, instant, search, with_lines=True)
    rows = found.where(Exchange.id == any_(bind(exchange_ids))).subquery("found")
    return select(rows).order_by(rows.c.key, rows.c.id)


def _page(found: AnySelect, start: SearchKey, page: PageRequest) -> AnySelect:
    rows = found.subquery("found")
    key = rows.c.key
    return page.window(select(rows), rows.c.id, Rank(key, type_coerce(bind(start), key.type)))


def _bounded(found: AnySelect, search: Search, instant: datetime, compared: int) -> AnySelect:
    """Where no place bounds what is found, only the boards that changed last."""
    if search.area is None and search.conversion is not None:
        recent = recently_changed(search.conversion, instant, compared)
        found = found.where(Exchange.id.in_(recent))
    return found


def _found(
    viewer_id: UUID | None, instant: datetime, search: Search, *, with_lines: bool
) -> AnySelect:
    """All boards that the search finds, with the `key` of their order."""
    area, conversion = search.area, search.conversion
    center = None if area is None else _center(area)
    distance = _NOTHING if center is None else _distance(center)
    amounts = None if conversion is None else received_amounts(conversion, search.minor_units)
    order = distance
    if search.sort is Sort.RECEIVE and amounts is not None:
        order = -amounts.c.received  # so that it rises where the amount falls
    terms = terms_at(instant)
    columns: tuple[Any, ...] = (Exchange.id, Exchange.time_zone, Exchange.opening_hours)
    if with_lines:
        lines = aggregate_lines(lines_where(*shown_at(ExchangeRate, instant)))
        columns = (*BOARD, *OWNER, *terms.c, lines, distance.label("distance"))
    found: AnySelect = (
        select(*columns, order.label("key"))
        .select_from(Exchange)
        .join(User, User.id == Exchange.owner_id)
        .join(terms, true())
        .where(visible_to(viewer_id), _is_fresh(terms, instant, with_stale=search.with_stale))
    )
    if area is not None and center is not None:
        found = found.join(center, _is_within(center, area.metres))
    if amounts is not None:
        found = quotable(found, search, amounts, instant)
    return found


def _distance(center: LateralFromClause) -> ColumnElement[Any]:
    return func.ST_Distance(Exchange.location, center.c.place, type_=Float())


def _is_within(center: LateralFromClause, metres: float) -> ColumnElement[bool]:
    within: ColumnElement[bool] = func.ST_DWithin(Exchange.location, center.c.place, metres)
    return within


def _center(area: SearchArea) -> LateralFromClause:
    """One row with the `place`.

    OFFSET keeps PostgreSQL from making the place anew for each board; it would also estimate a
    plan for any place so badly that it planned every search.
    """
    place = cast(point(area.lat, area.lon), Geography("POINT", srid=4326))
    return select(place.label("place")).offset(0).lateral("center")


def _is_fresh(terms: Entity, instant: datetime, *, with_stale: bool) -> ColumnElement[bool]:
    share = EXPIRES_AFTER if with_stale else 1
    validity = func.make_interval(0, 0, 0, 0, share * terms.c.valid_for_hours, type_=Interval())
    is_fresh: ColumnElement[bool] = bind(instant) - terms.c.confirmed_at < validity
    return is_fresh

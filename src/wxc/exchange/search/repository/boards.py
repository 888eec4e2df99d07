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
from wxc.exchange.boards.repository.columns import (
    BOARD_COLUMNS,
    OWNER_COLUMNS,
    RateLine,
    aggregate_lines,
    lines_where,
    point,
    terms_at,
)
from wxc.exchange.boards.repository.reading import BoardRow
from wxc.exchange.domain.freshness import EXPIRY_FACTOR
from wxc.exchange.domain.search import SearchArea, SearchRequest, Sort
from wxc.exchange.search.repository.conversions import (
    received_amounts,
    recently_changed,
    valid_at,
    with_conversion,
)
from wxc.exchange.search.repository.variants import SearchVariant
from wxc.models import Exchange, ExchangeRate, User
from wxc.social.users.repository import Entity
from wxc.social.users.visibility import visible_to

_NO_DISTANCE = literal(None, Float())
SearchKey = Annotated[Decimal | float | None, NullType()]
"""The sort key at which a page begins, with the type of the column that it is compared with."""


class MatchingBoard(NamedTuple):
    """The fields of a `BoardRow`, and the position of the board in the results."""

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
    current_confirmed_at: datetime
    current_valid_for_hours: int
    owner_id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    base_currency: str
    valid_for_hours: int
    confirmed_at: datetime
    lines: list[RateLine] | None
    distance: float | None
    """In metres; None without a place."""
    key: Decimal | float
    """The distance, or the negated received amount in minor units; in ascending order."""

    @property
    def board(self) -> BoardRow:
        """The row without `distance` and `key`."""
        return BoardRow(*self[:-2])


class MatchingHours(NamedTuple):
    """The opening hours of a board, and its position in the results."""

    id: UUID
    time_zone: str | None
    opening_hours: list[dict[str, Any]]
    key: Decimal | float


@prepared(MatchingBoard)
def matching_boards(
    viewer_id: UUID | None,
    instant: datetime,
    start: SearchKey,
    *,
    search: SearchVariant,
    page: PageRequest,
    max_compared: int,
) -> AnySelect:
    """Up to `page.limit + 1` boards in order.

    Without a place, considers at most `max_compared` boards per kind; see `recently_changed`.
    """
    boards = _matches(viewer_id, instant, search.request, with_lines=True)
    return _page(_bounded(boards, search.request, instant, max_compared), start, page)


@prepared(MatchingHours)
def matching_hours(
    viewer_id: UUID | None,
    instant: datetime,
    start: SearchKey,
    *,
    search: SearchVariant,
    page: PageRequest,
    max_compared: int,
) -> AnySelect:
    """The same boards as `matching_boards`, with their hours only."""
    boards = _matches(viewer_id, instant, search.request, with_lines=False)
    return _page(_bounded(boards, search.request, instant, max_compared), start, page)


@prepared(MatchingBoard)
def matching_boards_among(
    viewer_id: UUID | None,
    instant: datetime,
    exchange_ids: Sequence[UUID],
    *,
    search: SearchVariant,
) -> AnySelect:
    """Those of `exchange_ids` that match, in order."""
    boards = _matches(viewer_id, instant, search.request, with_lines=True)
    rows = boards.where(Exchange.id == any_(bind(exchange_ids))).subquery("matches")
    return select(rows).order_by(rows.c.key, rows.c.id)


def _page(boards: AnySelect, start: SearchKey, page: PageRequest) -> AnySelect:
    rows = boards.subquery("matches")
    key = rows.c.key
    return page.window(select(rows), rows.c.id, Rank(key, type_coerce(bind(start), key.type)))


def _bounded(
    boards: AnySelect, request: SearchRequest, instant: datetime, max_compared: int
) -> AnySelect:
    """Without a place, only the boards that changed last."""
    if request.area is None and request.conversion is not None:
        recent = recently_changed(request.conversion, instant, max_compared)
        boards = boards.where(Exchange.id.in_(recent))
    return boards


def _matches(
    viewer_id: UUID | None, instant: datetime, request: SearchRequest, *, with_lines: bool
) -> AnySelect:
    """All matching boards, with the `key` of their order."""
    area, conversion = request.area, request.conversion
    center = None if area is None else _center(area)
    distance = _NO_DISTANCE if center is None else _distance(center)
    amounts = None if conversion is None else received_amounts(conversion, request.minor_units)
    key = distance
    if request.sort is Sort.RECEIVE and amounts is not None:
        key = -amounts.c.received  # negated, since distances ascend
    terms = terms_at(instant)
    columns: tuple[Any, ...] = (Exchange.id, Exchange.time_zone, Exchange.opening_hours)
    if with_lines:
        lines = aggregate_lines(lines_where(*valid_at(ExchangeRate, instant)))
        columns = (*BOARD_COLUMNS, *OWNER_COLUMNS, *terms.c, lines, distance.label("distance"))
    is_confirmed = _is_confirmed(terms, instant, include_stale=request.include_stale)
    boards: AnySelect = (
        select(*columns, key.label("key"))
        .select_from(Exchange)
        .join(User, User.id == Exchange.owner_id)
        .join(terms, true())
        .where(visible_to(viewer_id), is_confirmed)
    )
    if area is not None and center is not None:
        boards = boards.join(center, _is_within(center, area.radius_metres))
    if amounts is not None:
        boards = with_conversion(boards, request, amounts, instant)
    return boards


def _distance(center: LateralFromClause) -> ColumnElement[Any]:
    return func.ST_Distance(Exchange.location, center.c.place, type_=Float())


def _is_within(center: LateralFromClause, metres: float) -> ColumnElement[bool]:
    within: ColumnElement[bool] = func.ST_DWithin(Exchange.location, center.c.place, metres)
    return within


def _center(area: SearchArea) -> LateralFromClause:
    """One row with the `place`.

    OFFSET keeps PostgreSQL from inlining the row and computing the place again for each board. It
    also improves the estimate of the generic plan: without it, PostgreSQL plans every search anew.
    """
    place = cast(point(area.lat, area.lon), Geography("POINT", srid=4326))
    return select(place.label("place")).offset(0).lateral("center")


def _is_confirmed(terms: Entity, instant: datetime, *, include_stale: bool) -> ColumnElement[bool]:
    """Whether the rates were valid or, with `include_stale`, not expired at that instant."""
    factor = EXPIRY_FACTOR if include_stale else 1
    validity = func.make_interval(0, 0, 0, 0, factor * terms.c.valid_for_hours, type_=Interval())
    is_confirmed: ColumnElement[bool] = bind(instant) - terms.c.confirmed_at < validity
    return is_confirmed

"""SQL that reads boards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    String,
    Text,
    and_,
    cast,
    column,
    func,
    join,
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
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared, prepared_outer
from wxc.models import Exchange, ExchangeConfirmation, ExchangeRate, RateEvent, User
from wxc.social.users.repository import named, summary
from wxc.social.users.visibility import visible_to

LINE = ("currency", "unit", "we_buy", "we_sell", "min_amount", "max_amount")
"""What a line of a board says."""
Line = tuple[str, int, str | None, str | None, str | None, str | None]
"""The same, its numbers as PostgreSQL's `numeric::text`."""
_POINT = cast(Exchange.location, Geometry("POINT", srid=4326))
BOARD = (
    Exchange.id,
    Exchange.name,
    Exchange.description,
    Exchange.address,
    func.ST_Y(_POINT).label("lat"),
    func.ST_X(_POINT).label("lon"),
    Exchange.time_zone,
    Exchange.opening_hours,
    Exchange.updated_at,
    Exchange.version,
    Exchange.confirmed_at.label("confirmed_now"),
    Exchange.valid_for_hours.label("valid_now"),
)
"""The columns of a board that are today's whatever moment is asked for."""
OWNER = summary(id_name="owner_id")


class BoardRow(NamedTuple):
    """A board as it stood at a moment: `BOARD`, `OWNER`, the terms and the lines."""

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
    """What `If-Match` compares."""
    confirmed_now: datetime
    """Today's confirmation: whether others still see the board does not depend on the moment."""
    valid_now: int
    """The hours for which that one holds."""
    owner_id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    base_currency: str
    valid_for_hours: int
    confirmed_at: datetime
    lines: list[Line] | None
    """By currency; None without any."""


class BoardHead(NamedTuple):
    """The last change and confirmation of a board; no `seq` before its first change."""

    id: UUID
    owner_id: UUID
    confirmed_now: datetime
    valid_now: int
    seq: int | None
    hash: bytes | None


@prepared_outer(BoardRow)
def board_of(username: str, viewer_id: UUID | None) -> AnySelect:
    """The board of the member of that folded name; no row for an invisible member."""
    return _current_board(and_(named(username), visible_to(viewer_id)))


@prepared_outer(BoardRow)
def board_of_user(user_id: UUID) -> AnySelect:
    """The member's own board."""
    return _current_board(User.id == user_id)


@prepared_outer(BoardRow)
def board_as_of(username: str, viewer_id: UUID | None, moment: datetime) -> AnySelect:
    """As `board_of`, with the terms and lines of that moment; None where there were none yet."""
    terms, lines = terms_at(moment), lines_left_by_changes(LINE, moment)
    return (
        select(*BOARD, *OWNER, *terms.c, aggregate_lines(lines))
        .select_from(User)
        .outerjoin(join(Exchange, terms, true()), Exchange.owner_id == User.id)
        .where(named(username), visible_to(viewer_id))
    )


@prepared(BoardHead)
def head_of_board(username: str, viewer_id: UUID | None) -> AnySelect:
    """The head of that member's board; no row without a visible member or a board."""
    last = (
        select(RateEvent.seq, RateEvent.hash)
        .where(RateEvent.exchange_id == Exchange.id)
        .order_by(RateEvent.seq.desc())
        .limit(1)
        .lateral("last")
    )
    return (
        select(
            Exchange.id,
            Exchange.owner_id,
            Exchange.confirmed_at.label("confirmed_now"),
            Exchange.valid_for_hours.label("valid_now"),
            *last.c,
        )
        .join(User, User.id == Exchange.owner_id)
        .outerjoin(last, true())
        .where(named(username), visible_to(viewer_id))
    )


def point(lat: Any, lon: Any) -> ColumnElement[Any]:  # noqa: ANN401 - floats or expressions
    """The place as PostGIS has it: the longitude first."""
    return func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)


def lines_where(*conditions: ColumnElement[bool]) -> LateralFromClause:
    """Lines of the board."""
    return (
        select(*(getattr(ExchangeRate, name) for name in LINE))
        .where(ExchangeRate.exchange_id == Exchange.id, *conditions)
        .correlate(Exchange)
        .lateral("lines")
    )


def aggregate_lines(lines: LateralFromClause) -> ColumnElement[Any]:
    """All `lines` of a board in one column, so that the rest of the board is sent only once."""
    line = func.row(*(_as_text(lines.c[name]) for name in LINE))
    by_currency = postgresql.aggregate_order_by(line, lines.c.currency)
    return (
        select(func.array_agg(by_currency))
        .select_from(lines)
        .correlate(Exchange)
        .scalar_subquery()
        .label("lines")
    )


def terms_at(moment: datetime) -> LateralFromClause:
    """The last confirmation until then; no row before the first.

    The board itself holds the very last one: only if it came later are others read.
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
    current = select(*_terms()).where(Exchange.confirmed_at <= moment).correlate(Exchange)
    return union_all(current, earlier).lateral("terms")


def _current_board(whose: ColumnElement[bool]) -> AnySelect:
    lines = lines_where(ExchangeRate.valid_to.is_(None))
    return (
        select(*BOARD, *OWNER, *_terms(), aggregate_lines(lines))
        .select_from(User)
        .outerjoin(Exchange, Exchange.owner_id == User.id)
        .where(whose)
    )


def _terms() -> tuple[InstrumentedAttribute[Any], ...]:
    return Exchange.base_currency, Exchange.valid_for_hours, Exchange.confirmed_at


def _as_text(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, Text) if isinstance(value.type, Numeric) else value


def lines_left_by_changes(names: Sequence[str], moment: datetime | None) -> LateralFromClause:
    """The last change of each currency until then, unless it took the line off.

    One step into an index for each currency there ever was, however long the history.
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

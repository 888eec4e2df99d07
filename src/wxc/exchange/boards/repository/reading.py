from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, join, select, true

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared_outer
from wxc.exchange.boards.repository.columns import (
    BOARD_COLUMNS,
    LINE_COLUMNS,
    OWNER_COLUMNS,
    RateLine,
    aggregate_lines,
    current_terms,
    lines_from_history,
    lines_where,
    terms_at,
)
from wxc.models import Exchange, ExchangeRate, User
from wxc.social.users.repository import has_username
from wxc.social.users.visibility import visible_to


class BoardRow(NamedTuple):
    """`BOARD_COLUMNS`, `OWNER_COLUMNS`, the terms and the rate lines of a board."""

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
    """Compared with `If-Match`."""
    current_confirmed_at: datetime
    """The latest confirmation, which decides whether others see the board, even for `as_of`."""
    current_valid_for_hours: int
    owner_id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    base_currency: str
    valid_for_hours: int
    confirmed_at: datetime
    lines: list[RateLine] | None
    """Ordered by currency; None if the board has none."""


@prepared_outer(BoardRow)
def board_by_username(username: str, viewer_id: UUID | None) -> AnySelect:
    """The user's board; None if there is none, no row if the viewer cannot see the user.

    The username is case-folded.
    """
    return _current_board(and_(has_username(username), visible_to(viewer_id)))


@prepared_outer(BoardRow)
def board_by_owner(user_id: UUID) -> AnySelect:
    return _current_board(User.id == user_id)


@prepared_outer(BoardRow)
def board_by_username_at(username: str, viewer_id: UUID | None, moment: datetime) -> AnySelect:
    """As `board_by_username`, with the terms and lines as of `moment`; None before the first."""
    terms, lines = terms_at(moment), lines_from_history(LINE_COLUMNS, moment)
    return (
        select(*BOARD_COLUMNS, *OWNER_COLUMNS, *terms.c, aggregate_lines(lines))
        .select_from(User)
        .outerjoin(join(Exchange, terms, true()), Exchange.owner_id == User.id)
        .where(has_username(username), visible_to(viewer_id))
    )


def _current_board(condition: ColumnElement[bool]) -> AnySelect:
    lines = lines_where(ExchangeRate.valid_to.is_(None))
    return (
        select(*BOARD_COLUMNS, *OWNER_COLUMNS, *current_terms(), aggregate_lines(lines))
        .select_from(User)
        .outerjoin(Exchange, Exchange.owner_id == User.id)
        .where(condition)
    )

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.core import clock
from wxc.core.times import rfc3339
from wxc.db.database import Database
from wxc.db.handle import Handle
from wxc.exchange.boards.errors import ExchangeNotFound
from wxc.exchange.boards.repository.columns import RateLine
from wxc.exchange.boards.repository.reading import (
    BoardRow,
    board_by_owner,
    board_by_username,
    board_by_username_at,
)
from wxc.exchange.boards.schemas.exchange import Exchange, Rate
from wxc.exchange.boards.schemas.places import Location, OpeningHours
from wxc.exchange.domain.freshness import State, is_expired, state_at
from wxc.exchange.domain.hours import is_open, parse_period
from wxc.http.etags import Versioned
from wxc.social.users.errors import UserNotFound
from wxc.social.users.service import present_summary


async def find_exchange(
    db: Handle, username: str, viewer_id: UUID | None, as_of: datetime | None
) -> Versioned[Exchange]:
    """Raises `UserNotFound`; `ExchangeNotFound` also if the board has expired."""
    row = require_visible(await find_board(db, username, viewer_id, as_of), viewer_id)
    return Versioned(present_exchange(row, as_of or clock.now()), row.version)


async def find_own_exchange(database: Database, me: Principal) -> Versioned[Exchange]:
    """The board of `me` in any state, from the primary; raises `ExchangeNotFound`."""
    return await own_exchange(database.primary, me)


async def own_exchange(db: Handle, me: Principal) -> Versioned[Exchange]:
    """The board of `me` in any state; raises `ExchangeNotFound`."""
    rows = await db.fetch(board_by_owner(me.id))
    row = rows[0] if rows else None
    if row is None:
        raise ExchangeNotFound
    return Versioned(present_exchange(row, clock.now()), row.version)


async def find_board(
    db: Handle, username: str, viewer_id: UUID | None, as_of: datetime | None
) -> BoardRow:
    """The current board, or the board as of a moment; also if it has expired.

    Raises `UserNotFound`, or `ExchangeNotFound` if there is no board or was none at that moment.
    """
    query = (
        board_by_username(username, viewer_id)
        if as_of is None
        else board_by_username_at(username, viewer_id, as_of)
    )
    rows = await db.fetch(query)
    if not rows:
        raise UserNotFound
    if rows[0] is None:
        raise ExchangeNotFound
    return rows[0]


def require_visible(board: BoardRow, viewer_id: UUID | None) -> BoardRow:
    """Raises `ExchangeNotFound` if the board is hidden from the viewer."""
    if is_hidden(board, viewer_id):
        raise ExchangeNotFound
    return board


def is_hidden(board: BoardRow, viewer_id: UUID | None) -> bool:
    """Whether the board has expired by now, even if an earlier moment is requested."""
    return board.owner_id != viewer_id and is_expired(
        board.current_confirmed_at, board.current_valid_for_hours, clock.now()
    )


def present_exchange(row: BoardRow, moment: datetime) -> Exchange:
    """`moment` applies to the states of the rates; `open_now` is always current."""
    state = state_at(row.confirmed_at, row.valid_for_hours, moment)
    location: Location | None = None
    if row.lat is not None and row.lon is not None:
        location = {"lat": row.lat, "lon": row.lon}
    return {
        "id": str(row.id),
        "owner": present_summary(row, row.owner_id),
        "name": row.name,
        "base_currency": row.base_currency,
        "description": row.description,
        "address": row.address,
        "location": location,
        "time_zone": row.time_zone,
        "opening_hours": [_opening_hours(**period) for period in row.opening_hours],
        "open_now": is_open_now(row.opening_hours, row.time_zone),
        "valid_for_hours": row.valid_for_hours,
        "rates": list(_rates(row.lines or (), rfc3339(row.confirmed_at), state)),
        "updated_at": rfc3339(row.updated_at),
    }


def is_open_now(opening_hours: Sequence[dict[str, Any]], time_zone: str | None) -> bool | None:
    """None without hours or time zone."""
    if not opening_hours or time_zone is None:
        return None
    periods = [parse_period(**period) for period in opening_hours]
    return is_open(periods, time_zone, clock.now())


def _opening_hours(weekday: int, opens: str, closes: str) -> OpeningHours:
    """PostgreSQL's `jsonb` does not keep the order of keys."""
    return {"weekday": weekday, "opens": opens, "closes": closes}


def _rates(lines: Sequence[RateLine], confirmed_at: str, state: State) -> Iterator[Rate]:
    for currency, unit, we_buy, we_sell, min_amount, max_amount in lines:
        yield {
            "currency": currency,
            "unit": unit,
            "we_buy": we_buy,
            "we_sell": we_sell,
            "min_amount": min_amount,
            "max_amount": max_amount,
            "confirmed_at": confirmed_at,
            "state": state,
        }

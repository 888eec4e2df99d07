"""Reading boards."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.core import clock
from wxc.core.currencies import currencies
from wxc.core.times import rfc3339
from wxc.db.database import Database
from wxc.db.handle import Handle
from wxc.exchange.domain.freshness import State, state_of
from wxc.exchange.domain.hours import hours_of, is_open
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.repository.boards import (
    BoardHead,
    BoardRow,
    Line,
    board_as_of,
    board_of,
    board_of_user,
)
from wxc.exchange.repository.search import FoundBoard
from wxc.exchange.schemas.boards import Location, OpeningHours
from wxc.exchange.schemas.exchanges import CurrencyPage, Exchange, Rate
from wxc.http.etags import Versioned
from wxc.social.users.errors import UserNotFound
from wxc.social.users.service import present_summary


def list_currencies() -> CurrencyPage:
    """Every circulating currency."""
    return {
        "items": [
            {
                "code": one.code,
                "name": one.name,
                "minor_units": one.minor_units,
                "symbol": one.symbol,
            }
            for one in currencies().values()
        ],
        "next_cursor": None,
        "prev_cursor": None,
    }


async def find_exchange(
    db: Handle, username: str, viewer_id: UUID | None, as_of: datetime | None
) -> Versioned[Exchange]:
    """That member's board; raises `UserNotFound`, or `ExchangeNotFound` also for an expired one."""
    row = visible(await find_board(db, username, viewer_id, as_of), viewer_id)
    return Versioned(present(row, as_of or clock.now()), row.version)


async def find_own(database: Database, me: Principal) -> Versioned[Exchange]:
    """The board of `me` in whatever state, from the primary; raises `ExchangeNotFound`."""
    return await own_board(database.primary, me)


async def own_board(db: Handle, me: Principal) -> Versioned[Exchange]:
    """The board of `me` on any handle; raises `ExchangeNotFound`."""
    rows = await db.fetch(board_of_user(me.id))
    row = rows[0] if rows else None
    if row is None:
        raise ExchangeNotFound
    return Versioned(present(row, clock.now()), row.version)


async def find_board(
    db: Handle, username: str, viewer_id: UUID | None, as_of: datetime | None
) -> BoardRow:
    """That member's board, now or as of a moment.

    Raises `UserNotFound`, or `ExchangeNotFound` where there is none or was none then.
    """
    board = (
        board_of(username, viewer_id) if as_of is None else board_as_of(username, viewer_id, as_of)
    )
    rows = await db.fetch(board)
    if not rows:
        raise UserNotFound
    if rows[0] is None:
        raise ExchangeNotFound
    return rows[0]


def visible(board: BoardRow, viewer_id: UUID | None) -> BoardRow:
    """The board; raises `ExchangeNotFound` where it has expired for the viewer."""
    if is_hidden(board, viewer_id):
        raise ExchangeNotFound
    return board


def is_hidden(board: BoardRow | BoardHead, viewer_id: UUID | None) -> bool:
    """Whether the board has expired: a question of today, whatever moment is asked for."""
    state = state_of(board.confirmed_now, board.valid_now, clock.now())
    return state is State.EXPIRED and board.owner_id != viewer_id


def present(row: BoardRow | FoundBoard, moment: datetime) -> Exchange:
    """The board of a row, with its states as of `moment`."""
    state = state_of(row.confirmed_at, row.valid_for_hours, moment)
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
        "opening_hours": [_hours(**one) for one in row.opening_hours],
        "open_now": is_open_now(row.opening_hours, row.time_zone),
        "valid_for_hours": row.valid_for_hours,
        "rates": list(_rates(row.lines or (), rfc3339(row.confirmed_at), state)),
        "updated_at": rfc3339(row.updated_at),
    }


def is_open_now(opening_hours: Sequence[dict[str, Any]], time_zone: str | None) -> bool | None:
    """Whether a board with these hours is open; None without hours or time zone."""
    if not opening_hours or time_zone is None:
        return None
    return is_open([hours_of(**one) for one in opening_hours], time_zone, clock.now())


def _hours(weekday: int, opens: str, closes: str) -> OpeningHours:
    """In the order of `OpeningHours`: PostgreSQL keeps keys in one of its own."""
    return {"weekday": weekday, "opens": opens, "closes": closes}


def _rates(lines: Sequence[Line], confirmed_at: str, state: State) -> Iterator[Rate]:
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

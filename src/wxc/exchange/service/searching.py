"""Finding boards, all as of one instant."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.core.plain import Plain
from wxc.exchange.errors import SearchExpired
from wxc.exchange.freshness import State, state_of
from wxc.exchange.quotes import Wish, convert
from wxc.exchange.repository import SearchReader
from wxc.exchange.schemas import HitPage
from wxc.exchange.searching import Position, SearchPage
from wxc.exchange.service import quoting, reading

_LIFETIME = timedelta(minutes=10)
_BATCH = 100
_MOST_BATCHES = 10  # of boards that are closed; the page then ends, and its cursor goes on


async def search(reader: Reader, page: SearchPage, viewer_id: UUID | None) -> Plain[HitPage]:
    """One page of what is found; raises `SearchExpired`."""
    now = clock.now()
    instant = page.instant or now
    if now - instant > _LIFETIME:
        raise SearchExpired
    find = _open_now if page.search.is_open_now else _all
    rows, last = await find(SearchReader(reader), page, viewer_id, instant)
    return Plain(
        items=[_hit(row, page.search.wish, instant) for row in rows],
        next_cursor=last and page.after(instant, last),
        prev_cursor=None,
    )


async def _all(
    reader: SearchReader, page: SearchPage, viewer_id: UUID | None, instant: datetime
) -> tuple[Sequence[AnyRow], Position | None]:
    """The boards of the page, and after which one the next begins: None at the end."""
    most = page.limit + 1
    rows = await reader.boards(page.search, viewer_id, instant, page.position, most)
    if len(rows) < most:
        return rows, None
    return rows[:-1], _position(rows[-2])


async def _open_now(
    reader: SearchReader, page: SearchPage, viewer_id: UUID | None, instant: datetime
) -> tuple[Sequence[AnyRow], Position | None]:
    """The same of those that are open."""
    found, last = await _first_open(reader, page, viewer_id, instant)
    ids = [row.id for row in found]
    return await reader.among(ids, page.search, viewer_id, instant), last


async def _first_open(
    reader: SearchReader, page: SearchPage, viewer_id: UUID | None, instant: datetime
) -> tuple[Sequence[AnyRow], Position | None]:
    """The hours of boards that are open.

    Whether one is open is for Python to say; so hours are read until there are enough.
    """
    found: list[AnyRow] = []
    position = page.position
    for _ in range(_MOST_BATCHES):
        rows = await reader.hours(page.search, viewer_id, instant, position, _BATCH)
        found += [row for row in rows if reading.is_open_now(row.opening_hours, row.time_zone)]
        if len(found) > page.limit:
            found = found[: page.limit]
            return found, _position(found[-1])
        if len(rows) < _BATCH:
            return found, None
        position = _position(rows[-1])
    return found, position


def _position(row: AnyRow) -> Position:
    return Position(row.key, row.id)


def _hit(row: AnyRow, wish: Wish | None, instant: datetime) -> dict[str, Any]:
    """What `Hit` says."""
    state = state_of(row.confirmed_at, row.valid_for_hours, instant)
    return {
        "exchange": reading.values_of(row, state),
        "distance_m": None if row.distance is None else round(row.distance, 1),
        "quote": None if wish is None else _quote(row, wish, instant, state),
    }


def _quote(board: AnyRow, wish: Wish, instant: datetime, state: State) -> dict[str, Any]:
    outcome = convert(board.base_currency, quoting.rates_of(board, wish), wish)
    return quoting.values_of(wish, outcome, board.confirmed_at, instant, state)

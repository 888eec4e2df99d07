"""Finding boards, all as of one instant."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from wxc.core import clock
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest, SortKey
from wxc.exchange.errors import SearchExpired
from wxc.exchange.repository.search import (
    FoundBoard,
    FoundHours,
    boards_among,
    boards_found,
    hours_found,
)
from wxc.exchange.schemas.quotes import Hit, HitPage
from wxc.exchange.search_area import Search
from wxc.exchange.service.quoting import quote_by
from wxc.exchange.service.reading import is_open_now, present

_LIFETIME = timedelta(minutes=10)
_MAX_COMPARED = 500
"""Boards of each kind that are compared where no place bounds them."""
_BATCH = 100
_MAX_BATCHES = 10  # of closed boards; the page then ends, and its cursor goes on
Found = tuple[list[FoundBoard], str | None]
"""The boards of a page, and its `next_cursor`."""


async def search(db: Handle, wanted: Search, page: PageRequest, viewer_id: UUID | None) -> HitPage:
    """One page of the boards that are found; raises `SearchExpired`."""
    now = clock.now()
    instant = wanted.unpacked(page.key.rank)[0] if page.key else now
    if now - instant > _LIFETIME:
        raise SearchExpired
    find = _open_now if wanted.is_open_now else _all
    rows, next_cursor = await find(db, wanted, page, viewer_id, instant)
    return {
        "items": [_hit(row, wanted, instant) for row in rows],
        "next_cursor": next_cursor,
        "prev_cursor": None,
    }


async def _all(
    db: Handle, wanted: Search, page: PageRequest, viewer_id: UUID | None, instant: datetime
) -> Found:
    start = _start(wanted, page)
    query = boards_found(
        viewer_id, instant, start, search=wanted, page=page, compared=_MAX_COMPARED
    )
    page_slice = page.slice(await db.fetch(query), lambda row: _sort_key(row, wanted, instant))
    return list(page_slice.rows), page_slice.next_cursor


async def _open_now(
    db: Handle, wanted: Search, page: PageRequest, viewer_id: UUID | None, instant: datetime
) -> Found:
    """The boards that are open."""
    found, next_cursor = await _open_hours(db, wanted, page, viewer_id, instant)
    ids = [row.id for row in found]
    boards = await db.fetch(boards_among(viewer_id, instant, ids, search=wanted))
    return boards, next_cursor


async def _open_hours(
    db: Handle, wanted: Search, page: PageRequest, viewer_id: UUID | None, instant: datetime
) -> tuple[list[FoundHours], str | None]:
    """As `_open_now`, their hours.

    Python decides whether a board is open, so hours are read in batches until there are enough.
    """
    found: list[FoundHours] = []
    batch = page.starting_at(page.key, _BATCH)
    for _ in range(_MAX_BATCHES):
        start = _start(wanted, batch)
        query = hours_found(
            viewer_id, instant, start, search=wanted, page=batch, compared=_MAX_COMPARED
        )
        rows = await db.fetch(query)
        found += [row for row in rows[:_BATCH] if is_open_now(row.opening_hours, row.time_zone)]
        if len(found) > page.limit:
            found = found[: page.limit]
            return found, page.cursor_after(_sort_key(found[-1], wanted, instant))
        if len(rows) <= _BATCH:
            return found, None
        batch = batch.starting_at(_sort_key(rows[_BATCH - 1], wanted, instant), _BATCH)
    return found, batch.key and page.cursor_after(batch.key)


def _start(wanted: Search, page: PageRequest) -> Decimal | float | None:
    return wanted.unpacked(page.key.rank)[1] if page.key else None


def _sort_key(row: FoundBoard | FoundHours, wanted: Search, instant: datetime) -> SortKey:
    return SortKey(wanted.rank(instant, row.key), row.id)


def _hit(row: FoundBoard, wanted: Search, instant: datetime) -> Hit:
    conversion = wanted.conversion
    return {
        "exchange": present(row, instant),
        "distance_m": None if row.distance is None else round(row.distance, 1),
        "quote": None if conversion is None else quote_by(row, conversion, instant),
    }

"""All pages of a search use the rates of one instant."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from wxc.core import clock
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest, SortKey
from wxc.exchange.boards.service.reading import is_open_now, present_exchange
from wxc.exchange.domain.search import SearchRequest
from wxc.exchange.quotes.service import quote_by_board
from wxc.exchange.search.errors import SearchExpired
from wxc.exchange.search.repository.boards import (
    MatchingBoard,
    MatchingHours,
    matching_boards,
    matching_boards_among,
    matching_hours,
)
from wxc.exchange.search.repository.variants import SearchVariant
from wxc.exchange.search.schemas import Hit, HitPage

_SEARCH_LIFETIME = timedelta(minutes=10)
_MAX_COMPARED = 500
"""Boards per kind that a search without a place compares; see `recently_changed`."""
_BATCH_SIZE = 100
_MAX_BATCHES = 10  # then the page ends early; its cursor continues after the closed boards
BoardPage = tuple[list[MatchingBoard], str | None]
"""The boards of a page and its `next_cursor`."""


async def search(
    db: Handle, request: SearchRequest, page: PageRequest, viewer_id: UUID | None
) -> HitPage:
    """Raises `SearchExpired`."""
    now = clock.now()
    instant = request.unpack_rank(page.key.rank)[0] if page.key else now
    if now - instant > _SEARCH_LIFETIME:
        raise SearchExpired
    read_page = _open_boards if request.is_open_now else _boards
    rows, next_cursor = await read_page(db, request, page, viewer_id, instant)
    return {
        "items": [_present_hit(row, request, instant) for row in rows],
        "next_cursor": next_cursor,
        "prev_cursor": None,
    }


async def _boards(
    db: Handle, request: SearchRequest, page: PageRequest, viewer_id: UUID | None, instant: datetime
) -> BoardPage:
    query = matching_boards(
        viewer_id,
        instant,
        _start_key(request, page),
        search=SearchVariant(request),
        page=page,
        max_compared=_MAX_COMPARED,
    )
    page_slice = page.slice(await db.fetch(query), lambda row: _sort_key(row, request, instant))
    return list(page_slice.rows), page_slice.next_cursor


async def _open_boards(
    db: Handle, request: SearchRequest, page: PageRequest, viewer_id: UUID | None, instant: datetime
) -> BoardPage:
    """As `_boards`, without the boards that are closed now."""
    hours, next_cursor = await _open_hours(db, request, page, viewer_id, instant)
    ids = [row.id for row in hours]
    search = SearchVariant(request)
    boards = await db.fetch(matching_boards_among(viewer_id, instant, ids, search=search))
    return boards, next_cursor


async def _open_hours(
    db: Handle, request: SearchRequest, page: PageRequest, viewer_id: UUID | None, instant: datetime
) -> tuple[list[MatchingHours], str | None]:
    """The hours of the boards of `_open_boards`, and the `next_cursor`.

    Python decides whether a board is open, so hours are read in batches until a page is full.
    """
    matches: list[MatchingHours] = []
    batch = page.starting_at(page.key, _BATCH_SIZE)
    for _ in range(_MAX_BATCHES):
        query = matching_hours(
            viewer_id,
            instant,
            _start_key(request, batch),
            search=SearchVariant(request),
            page=batch,
            max_compared=_MAX_COMPARED,
        )
        rows = await db.fetch(query)
        batch_rows = rows[:_BATCH_SIZE]
        matches += [row for row in batch_rows if is_open_now(row.opening_hours, row.time_zone)]
        if len(matches) > page.limit:
            matches = matches[: page.limit]
            return matches, page.cursor_after(_sort_key(matches[-1], request, instant))
        if len(rows) <= _BATCH_SIZE:
            return matches, None
        batch = batch.starting_at(_sort_key(batch_rows[-1], request, instant), _BATCH_SIZE)
    return matches, batch.key and page.cursor_after(batch.key)


def _start_key(request: SearchRequest, page: PageRequest) -> Decimal | float | None:
    return request.unpack_rank(page.key.rank)[1] if page.key else None


def _sort_key(
    row: MatchingBoard | MatchingHours, request: SearchRequest, instant: datetime
) -> SortKey:
    return SortKey(request.pack_rank(instant, row.key), row.id)


def _present_hit(row: MatchingBoard, request: SearchRequest, instant: datetime) -> Hit:
    conversion, board = request.conversion, row.board
    return {
        "exchange": present_exchange(board, instant),
        "distance_m": None if row.distance is None else round(row.distance, 1),
        "quote": None if conversion is None else quote_by_board(board, conversion, instant),
    }

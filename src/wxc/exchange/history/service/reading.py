from decimal import Decimal
from uuid import UUID

from wxc.core.decimals import decimal_text, decimal_text_or_none
from wxc.core.times import rfc3339
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.exchange.boards.repository.rate_events import RateEventRow
from wxc.exchange.boards.service.reading import find_board, require_visible
from wxc.exchange.domain.history import Group, HistoryRange
from wxc.exchange.history.repository.reading import (
    RateBucketRow,
    rate_buckets_in,
    rate_events_in,
)
from wxc.exchange.history.schemas import (
    Candle,
    RateBucket,
    RateChange,
    RateEvent,
    RateHistoryPage,
)


async def list_history(
    db: Handle, username: str, viewer_id: UUID | None, span: HistoryRange, page: PageRequest
) -> RateHistoryPage:
    """Newest first; raises as `find_exchange` does."""
    board = require_visible(await find_board(db, username, viewer_id, None), viewer_id)
    bounds = (board.id, span.currency, span.start, span.end)
    if span.group is Group.EVENT:
        events = page.slice(await db.fetch(rate_events_in(*bounds, page=page)), lambda row: row.id)
        return {
            "items": [_present_event(row) for row in events.rows],
            "next_cursor": events.next_cursor,
            "prev_cursor": events.prev_cursor,
        }
    rows = await db.fetch(rate_buckets_in(*bounds, page=page, group=span.group))
    buckets = page.slice(rows, lambda row: row.id)
    return {
        "items": [_present_bucket(row) for row in buckets.rows],
        "next_cursor": buckets.next_cursor,
        "prev_cursor": buckets.prev_cursor,
    }


def present_change(row: RateEventRow) -> RateChange:
    return {**_present_event(row), "currency": row.currency}


def _present_event(row: RateEventRow) -> RateEvent:
    return {
        "seq": row.seq,
        "hash": row.hash.hex(),
        "at": rfc3339(row.at),
        "base_currency": row.base_currency,
        "unit": row.unit,
        "we_buy": decimal_text_or_none(row.we_buy),
        "we_sell": decimal_text_or_none(row.we_sell),
        "min_amount": decimal_text_or_none(row.min_amount),
        "max_amount": decimal_text_or_none(row.max_amount),
    }


def _present_bucket(row: RateBucketRow) -> RateBucket:
    we_buy = _candle(row.we_buy_open, row.we_buy_high, row.we_buy_low, row.we_buy_close)
    we_sell = _candle(row.we_sell_open, row.we_sell_high, row.we_sell_low, row.we_sell_close)
    return {
        "start": rfc3339(row.start),
        "base_currency": row.base_currency,
        "unit": row.unit,
        "we_buy": we_buy,
        "we_sell": we_sell,
    }


def _candle(
    first: Decimal | None, high: Decimal | None, low: Decimal | None, last: Decimal | None
) -> Candle | None:
    if first is None or high is None or low is None or last is None:
        return None
    return {
        "open": decimal_text(first),
        "high": decimal_text(high),
        "low": decimal_text(low),
        "close": decimal_text(last),
    }

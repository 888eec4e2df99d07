"""Reading the history of a board."""

from decimal import Decimal
from uuid import UUID

from wxc.core.decimals import decimal_text, decimal_text_or_none
from wxc.core.times import rfc3339
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.exchange.domain.history import Group, HistoryRange
from wxc.exchange.repository.history import (
    RateBucketRow,
    RateEventRow,
    rate_buckets_of,
    rate_events_of,
)
from wxc.exchange.schemas.history import Candle, RateBucket, RateChange, RateEvent, RateHistoryPage
from wxc.exchange.service.reading import find_board, visible


async def list_history(
    db: Handle, username: str, viewer_id: UUID | None, wanted: HistoryRange, page: PageRequest
) -> RateHistoryPage:
    """How a currency's line has changed, newest first; raises as `find_exchange` does."""
    board = visible(await find_board(db, username, viewer_id, None), viewer_id)
    bounds = (board.id, wanted.currency, wanted.first, wanted.end)
    if wanted.group is Group.EVENT:
        events = page.slice(await db.fetch(rate_events_of(*bounds, page=page)), lambda row: row.id)
        return {
            "items": [_event(row) for row in events.rows],
            "next_cursor": events.next_cursor,
            "prev_cursor": events.prev_cursor,
        }
    found = await db.fetch(rate_buckets_of(*bounds, page=page, group=wanted.group))
    buckets = page.slice(found, lambda row: row.id)
    return {
        "items": [_bucket(row) for row in buckets.rows],
        "next_cursor": buckets.next_cursor,
        "prev_cursor": buckets.prev_cursor,
    }


def present_change(row: RateEventRow) -> RateChange:
    """An event of the history as streams report it."""
    return {**_event(row), "currency": row.currency}


def _event(row: RateEventRow) -> RateEvent:
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


def _bucket(row: RateBucketRow) -> RateBucket:
    buys = _candle(row.we_buy_open, row.we_buy_high, row.we_buy_low, row.we_buy_close)
    sells = _candle(row.we_sell_open, row.we_sell_high, row.we_sell_low, row.we_sell_close)
    return {
        "start": rfc3339(row.start),
        "base_currency": row.base_currency,
        "unit": row.unit,
        "we_buy": buys,
        "we_sell": sells,
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

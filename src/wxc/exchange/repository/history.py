"""SQL that reads the history of boards."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, func, literal_column, select
from sqlalchemy.dialects import postgresql

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import bind, prepared
from wxc.exchange.domain.history import Group
from wxc.models import RateEvent, columns


class RateEventRow(NamedTuple):
    """A change of one line; both sides None: it was taken off."""

    id: UUID
    exchange_id: UUID
    seq: int
    at: datetime
    currency: str
    base_currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None
    max_amount: Decimal | None
    hash: bytes
    """Of this change and the hash before it, see `exchange/domain/chain.py`."""


class RateBucketRow(NamedTuple):
    """The changes of an hour or a day, for one base and unit."""

    id: UUID
    """Of the first change."""
    start: datetime
    base_currency: str
    unit: int
    we_buy_open: Decimal | None
    we_buy_high: Decimal | None
    we_buy_low: Decimal | None
    we_buy_close: Decimal | None
    we_sell_open: Decimal | None
    we_sell_high: Decimal | None
    we_sell_low: Decimal | None
    we_sell_close: Decimal | None


EVENT = columns(RateEvent, RateEventRow)
"""The columns of a `RateEventRow`."""


@prepared(RateEventRow)
def rate_events_of(
    exchange_id: UUID, currency: str, first: datetime, end: datetime | None, *, page: PageRequest
) -> AnySelect:
    """Up to `limit + 1` changes of a currency."""
    within = _within(exchange_id, currency, first, end)
    return page.window(select(*EVENT).where(*within), RateEvent.id)


@prepared(RateBucketRow)
def rate_buckets_of(
    exchange_id: UUID,
    currency: str,
    first: datetime,
    end: datetime | None,
    *,
    page: PageRequest,
    group: Group,
) -> AnySelect:
    """Up to `limit + 1` hours or days with changes of a currency, for each base and unit."""
    start = func.date_trunc(group.value, RateEvent.at, "UTC").label("start")
    columns: list[Any] = [
        _first(RateEvent.id, RateEvent.seq.asc()).label("id"),
        start,
        RateEvent.base_currency,
        RateEvent.unit,
    ]
    for side in (RateEvent.we_buy, RateEvent.we_sell):
        columns += [
            _first(side, RateEvent.seq.asc()).label(f"{side.key}_open"),
            func.max(side).label(f"{side.key}_high"),
            func.min(side).label(f"{side.key}_low"),
            _first(side, RateEvent.seq.desc()).label(f"{side.key}_close"),
        ]
    buckets = (
        select(*columns)
        .where(*_within(exchange_id, currency, first, end))
        .group_by(start, RateEvent.base_currency, RateEvent.unit)
        .subquery("buckets")
    )
    return page.window(select(buckets), buckets.c.id)


@prepared(RateEventRow)
def changes_of_board(exchange_id: UUID, first: int, *, limit: int) -> AnySelect:
    """Up to `limit` changes of the board, from the number `first` on."""
    return (
        select(*EVENT)
        .where(RateEvent.exchange_id == exchange_id, RateEvent.seq >= first)
        .order_by(RateEvent.seq)
        .limit(limit)
    )


def _within(
    exchange_id: UUID, currency: str, first: datetime, end: datetime | None
) -> tuple[ColumnElement[bool], ...]:
    # Not OR: it could not bound the scan of an index.
    forever: ColumnElement[datetime] = literal_column("'infinity'::timestamptz")
    return (
        RateEvent.exchange_id == exchange_id,
        RateEvent.currency == currency,
        RateEvent.at >= first,
        RateEvent.at < func.coalesce(bind(end), forever),
    )


def _first(value: Any, order: ColumnElement[Any]) -> ColumnElement[Any]:  # noqa: ANN401
    """The first value of a group in that order, NULLs passed over."""
    values = func.array_agg(postgresql.aggregate_order_by(value, order), type_=ARRAY(value.type))
    return values.filter(value.isnot(None))[1]

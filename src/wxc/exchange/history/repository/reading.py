from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, func, literal_column, select
from sqlalchemy.dialects import postgresql

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import bind, prepared
from wxc.exchange.boards.repository.rate_events import EVENT_COLUMNS, RateEventRow
from wxc.exchange.domain.history import Group
from wxc.models import RateEvent


class RateBucketRow(NamedTuple):
    """The changes of an hour or a day, for one base currency and unit."""

    id: UUID
    """Id of the first change."""
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


@prepared(RateEventRow)
def rate_events_in(
    exchange_id: UUID, currency: str, start: datetime, end: datetime | None, *, page: PageRequest
) -> AnySelect:
    """Up to `page.limit + 1` rows."""
    conditions = _range_conditions(exchange_id, currency, start, end)
    return page.window(select(*EVENT_COLUMNS).where(*conditions), RateEvent.id)


@prepared(RateBucketRow)
def rate_buckets_in(
    exchange_id: UUID,
    currency: str,
    start: datetime,
    end: datetime | None,
    *,
    page: PageRequest,
    group: Group,
) -> AnySelect:
    """Up to `page.limit + 1` rows: one per hour or day with changes, base currency and unit."""
    bucket_start = func.date_trunc(group.value, RateEvent.at, "UTC").label("start")
    bucket_columns: list[Any] = [
        _first_value(RateEvent.id, RateEvent.seq.asc()).label("id"),
        bucket_start,
        RateEvent.base_currency,
        RateEvent.unit,
    ]
    for side in (RateEvent.we_buy, RateEvent.we_sell):
        bucket_columns += [
            _first_value(side, RateEvent.seq.asc()).label(f"{side.key}_open"),
            func.max(side).label(f"{side.key}_high"),
            func.min(side).label(f"{side.key}_low"),
            _first_value(side, RateEvent.seq.desc()).label(f"{side.key}_close"),
        ]
    buckets = (
        select(*bucket_columns)
        .where(*_range_conditions(exchange_id, currency, start, end))
        .group_by(bucket_start, RateEvent.base_currency, RateEvent.unit)
        .subquery("buckets")
    )
    return page.window(select(buckets), buckets.c.id)


def _range_conditions(
    exchange_id: UUID, currency: str, start: datetime, end: datetime | None
) -> tuple[ColumnElement[bool], ...]:
    # Not `end IS NULL OR …`, which cannot bound an index scan.
    no_end: ColumnElement[datetime] = literal_column("'infinity'::timestamptz")
    return (
        RateEvent.exchange_id == exchange_id,
        RateEvent.currency == currency,
        RateEvent.at >= start,
        RateEvent.at < func.coalesce(bind(end), no_end),
    )


def _first_value(value: Any, order: ColumnElement[Any]) -> ColumnElement[Any]:  # noqa: ANN401
    """The first value of a group, in that order, that is not NULL."""
    values = func.array_agg(postgresql.aggregate_order_by(value, order), type_=ARRAY(value.type))
    return values.filter(value.isnot(None))[1]

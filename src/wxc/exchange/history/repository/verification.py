from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import any_, except_, select, true, tuple_, union

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.exchange.boards.repository.columns import LINE_COLUMNS, lines_from_history
from wxc.exchange.boards.repository.rate_events import EVENT_COLUMNS, RateEventRow
from wxc.models import Exchange, ExchangeRate, RateEvent, RowId


class MismatchedLine(NamedTuple):
    """A rate line that differs from the last event of its currency."""

    id: UUID
    """Id of the board."""
    currency: str


@prepared(RateEventRow)
def events_after(exchange_id: UUID, seq: int, *, limit: int) -> AnySelect:
    """Events of all boards after that position, ordered by board and `seq`."""
    return (
        select(*EVENT_COLUMNS)
        .where(tuple_(RateEvent.exchange_id, RateEvent.seq) > tuple_(bind(exchange_id), bind(seq)))
        .order_by(RateEvent.exchange_id, RateEvent.seq)
        .limit(limit)
    )


@prepared(RowId)
def events_with_hash(seq: int, digest: bytes) -> AnySelect:
    """The event with this number and hash, of any board."""
    return select(RateEvent.id).where(RateEvent.seq == seq, RateEvent.hash == digest).limit(1)


@prepared(RowId)
def boards_after(exchange_id: UUID, *, limit: int) -> AnySelect:
    return select(Exchange.id).where(Exchange.id > exchange_id).order_by(Exchange.id).limit(limit)


@prepared(MismatchedLine)
def mismatched_lines(exchange_ids: Sequence[UUID]) -> AnySelect:
    """Differences in both directions: lines without their event, and events without their line."""
    names = ("base_currency", *LINE_COLUMNS)
    is_requested = Exchange.id == any_(bind(exchange_ids))
    last = lines_from_history(names, None)
    expected = select(Exchange.id, *last.c).join(last, true()).where(is_requested)
    current = (
        select(Exchange.id, *(getattr(ExchangeRate, name) for name in names))
        .join(ExchangeRate, ExchangeRate.exchange_id == Exchange.id)
        .where(is_requested, ExchangeRate.valid_to.is_(None))
    )
    halves = (except_(expected, current).subquery(), except_(current, expected).subquery())
    mismatches = union(*(select(half.c.id, half.c.currency) for half in halves)).subquery()
    return select(mismatches)

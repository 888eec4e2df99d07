"""SQL that verifies the history of all boards."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import any_, except_, select, true, tuple_, union

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.exchange.repository.boards import LINE, lines_left_by_changes
from wxc.exchange.repository.history import EVENT, RateEventRow
from wxc.models import Exchange, ExchangeRate, RateEvent, RowId


class MismatchedLine(NamedTuple):
    """A line that is not what the last change of its currency left."""

    id: UUID
    """Of the board."""
    currency: str


@prepared(RateEventRow)
def events_after(exchange_id: UUID, seq: int, *, limit: int) -> AnySelect:
    """Up to `limit` changes of all boards beyond that one, board after board."""
    return (
        select(*EVENT)
        .where(tuple_(RateEvent.exchange_id, RateEvent.seq) > tuple_(bind(exchange_id), bind(seq)))
        .order_by(RateEvent.exchange_id, RateEvent.seq)
        .limit(limit)
    )


@prepared(RowId)
def events_with_hash(seq: int, digest: bytes) -> AnySelect:
    """The change with that number and hash, of whichever board."""
    return select(RateEvent.id).where(RateEvent.seq == seq, RateEvent.hash == digest).limit(1)


@prepared(RowId)
def boards_after(exchange_id: UUID, *, limit: int) -> AnySelect:
    """Up to `limit` boards beyond that one, by id."""
    return select(Exchange.id).where(Exchange.id > exchange_id).order_by(Exchange.id).limit(limit)


@prepared(MismatchedLine)
def mismatched_lines(exchange_ids: Sequence[UUID]) -> AnySelect:
    """Lines of these boards that are not what the last change left."""
    names = ("base_currency", *LINE)
    among = Exchange.id == any_(bind(exchange_ids))
    last = lines_left_by_changes(names, None)
    left = select(Exchange.id, *last.c).join(last, true()).where(among)
    shown = (
        select(Exchange.id, *(getattr(ExchangeRate, name) for name in names))
        .join(ExchangeRate, ExchangeRate.exchange_id == Exchange.id)
        .where(among, ExchangeRate.valid_to.is_(None))
    )
    halves = (except_(left, shown).subquery(), except_(shown, left).subquery())
    either = union(*(select(half.c.id, half.c.currency) for half in halves)).subquery()
    return select(either)

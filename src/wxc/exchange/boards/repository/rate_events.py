"""Callers lock the board before they read its last event and append new ones."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.db.session import Session
from wxc.models import RateEvent, columns


class RateEventRow(NamedTuple):
    """A change of one rate line; `we_buy` and `we_sell` are None if the line was removed."""

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
    """See `exchange/domain/chain.py`."""


class LastRateEvent(NamedTuple):
    id: UUID
    seq: int
    hash: bytes


EVENT_COLUMNS = columns(RateEvent, RateEventRow)


@prepared(LastRateEvent)
def last_rate_event(exchange_id: UUID) -> AnySelect:
    return (
        select(RateEvent.id, RateEvent.seq, RateEvent.hash)
        .where(RateEvent.exchange_id == exchange_id)
        .order_by(RateEvent.seq.desc())
        .limit(1)
    )


async def insert_rate_events(session: Session, events: Sequence[RateEventRow]) -> None:
    """Not prepared, because the SQL depends on the number of events."""
    await session.execute(insert(RateEvent).values([event._asdict() for event in events]))

"""SQL that replaces the lines of a board and appends to its history; the board is locked first."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, any_, delete, insert, select, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from wxc.core.ids import new_id
from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.db.session import Session
from wxc.exchange.repository.history import RateEventRow
from wxc.models import ExchangeRate, RateEvent, RowId, columns


class LineRow(NamedTuple):
    """A line of a board and its base."""

    currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None
    max_amount: Decimal | None
    base_currency: str


class LastEvent(NamedTuple):
    """The newest change of a board."""

    id: UUID
    seq: int
    hash: bytes


@prepared(LineRow)
def lines_of(exchange_id: UUID) -> AnySelect:
    """The lines of the board."""
    return select(*columns(ExchangeRate, LineRow)).where(_is_shown(exchange_id))


@prepared(LastEvent)
def last_event_of(exchange_id: UUID) -> AnySelect:
    """The newest change of the board."""
    return (
        select(RateEvent.id, RateEvent.seq, RateEvent.hash)
        .where(RateEvent.exchange_id == exchange_id)
        .order_by(RateEvent.seq.desc())
        .limit(1)
    )


@prepared(RowId)
def delete_closed_lines(exchange_id: UUID, before: datetime) -> ReturningDelete[Any]:
    """Delete the lines of the board that were closed before then."""
    return (
        delete(ExchangeRate)
        .where(ExchangeRate.exchange_id == exchange_id, ExchangeRate.valid_to < before)
        .returning(ExchangeRate.id)
    )


@prepared(RowId)
def close_lines(
    exchange_id: UUID, currencies: Sequence[str], moment: datetime
) -> ReturningUpdate[Any]:
    """Show the board's lines of these currencies until `moment` only."""
    return (
        update(ExchangeRate)
        .where(_is_shown(exchange_id), ExchangeRate.currency == any_(bind(currencies)))
        .values(valid_to=moment)
        .returning(ExchangeRate.id)
    )


async def insert_events(session: Session, events: Sequence[RateEventRow]) -> None:
    """Append to the history. Not prepared: the SQL depends on how many there are."""
    await session.execute(insert(RateEvent).values([event._asdict() for event in events]))


async def insert_lines(
    session: Session, exchange_id: UUID, lines: Sequence[LineRow], moment: datetime
) -> None:
    """Show these lines from `moment` on. Not prepared: the SQL depends on how many there are."""
    rows = [
        {"id": new_id(), "exchange_id": exchange_id, "valid_from": moment, **line._asdict()}
        for line in lines
    ]
    await session.execute(insert(ExchangeRate).values(rows))


def _is_shown(exchange_id: UUID) -> ColumnElement[bool]:
    return (ExchangeRate.exchange_id == exchange_id) & ExchangeRate.valid_to.is_(None)

"""Callers lock the board before they change its rate lines."""

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
from wxc.models import ExchangeRate, RowId, columns


class RateLineRow(NamedTuple):
    currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None
    max_amount: Decimal | None
    base_currency: str


@prepared(RateLineRow)
def current_lines(exchange_id: UUID) -> AnySelect:
    return select(*columns(ExchangeRate, RateLineRow)).where(_is_current(exchange_id))


@prepared(RowId)
def delete_closed_lines(exchange_id: UUID, before: datetime) -> ReturningDelete[Any]:
    return (
        delete(ExchangeRate)
        .where(ExchangeRate.exchange_id == exchange_id, ExchangeRate.valid_to < before)
        .returning(ExchangeRate.id)
    )


@prepared(RowId)
def close_lines(
    exchange_id: UUID, currencies: Sequence[str], moment: datetime
) -> ReturningUpdate[Any]:
    """Set the end of validity of the current lines of these currencies."""
    return (
        update(ExchangeRate)
        .where(_is_current(exchange_id), ExchangeRate.currency == any_(bind(currencies)))
        .values(valid_to=moment)
        .returning(ExchangeRate.id)
    )


async def insert_lines(
    session: Session, exchange_id: UUID, lines: Sequence[RateLineRow], moment: datetime
) -> None:
    """Insert lines valid from `moment`. Not prepared: the SQL depends on the number of lines."""
    rows = [
        {"id": new_id(), "exchange_id": exchange_id, "valid_from": moment, **line._asdict()}
        for line in lines
    ]
    await session.execute(insert(ExchangeRate).values(rows))


def _is_current(exchange_id: UUID) -> ColumnElement[bool]:
    return (ExchangeRate.exchange_id == exchange_id) & ExchangeRate.valid_to.is_(None)

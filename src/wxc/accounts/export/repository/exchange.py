from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import Select, cast, func, select

from wxc.accounts.export.repository.batches import batch
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Exchange, ExchangeConfirmation, RateEvent


class ExchangeRow(NamedTuple):
    name: str
    base_currency: str
    description: str | None
    address: str | None
    lat: float | None
    lon: float | None
    time_zone: str | None
    opening_hours: list[Any]
    """In the form of the schema `OpeningHours`."""
    valid_for_hours: int
    created_at: datetime
    updated_at: datetime
    key: UUID


class RateEventRow(NamedTuple):
    """A change of a rate; both rates are None if it was removed."""

    seq: int
    at: datetime
    currency: str
    base_currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None
    max_amount: Decimal | None
    key: int


class ConfirmationRow(NamedTuple):
    at: datetime
    base_currency: str
    valid_for_hours: int
    key: datetime


@prepared(ExchangeRow)
def exchanges(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """One row at most."""
    query = select(
        Exchange.name,
        Exchange.base_currency,
        Exchange.description,
        Exchange.address,
        func.ST_Y(cast(Exchange.location, Geometry)).label("lat"),
        func.ST_X(cast(Exchange.location, Geometry)).label("lon"),
        Exchange.time_zone,
        Exchange.opening_hours,
        Exchange.valid_for_hours,
        Exchange.created_at,
        Exchange.updated_at,
    ).where(Exchange.owner_id == user_id)
    return batch(query, Exchange.id, after, limit)


@prepared(RateEventRow)
def rate_events(user_id: UUID, after: int, *, limit: int) -> AnySelect:
    query = select(
        RateEvent.seq,
        RateEvent.at,
        RateEvent.currency,
        RateEvent.base_currency,
        RateEvent.unit,
        RateEvent.we_buy,
        RateEvent.we_sell,
        RateEvent.min_amount,
        RateEvent.max_amount,
    ).where(RateEvent.exchange_id.in_(_exchanges_of(user_id)))
    return batch(query, RateEvent.seq, after, limit)


@prepared(ConfirmationRow)
def exchange_confirmations(user_id: UUID, after: datetime, *, limit: int) -> AnySelect:
    query = select(
        ExchangeConfirmation.at,
        ExchangeConfirmation.base_currency,
        ExchangeConfirmation.valid_for_hours,
    ).where(ExchangeConfirmation.exchange_id.in_(_exchanges_of(user_id)))
    return batch(query, ExchangeConfirmation.at, after, limit)


def _exchanges_of(user_id: UUID) -> Select[UUID]:
    return select(Exchange.id).where(Exchange.owner_id == user_id)

"""Demo data: thirty boards in three cities, always the same, with three days of history."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from wxc.core.ids import new_id
from wxc.exchange.chain import GENESIS, Event, link
from wxc.exchange.freshness import reminder_due

_SEED = 4217
_VALID_FOR = 24  # hours
_AGES = (timedelta(hours=72), timedelta(hours=48), timedelta(hours=24), timedelta(hours=1))
_DIGITS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class _City:
    """Where boards are: around a place, in the streets whose names they bear."""

    name: str
    base: str
    time_zone: str
    lat: float
    lon: float
    streets: tuple[str, ...]


_CITIES = (
    _City(
        "Singapore",
        "SGD",
        "Asia/Singapore",
        1.2903,
        103.8519,
        (
            *("Raffles Place", "Orchard", "Tanjong Pagar", "Bugis", "Chinatown"),
            *("Little India", "City Hall", "Clarke Quay", "Marina Bay", "Outram"),
        ),
    ),
    _City(
        "London",
        "GBP",
        "Europe/London",
        51.5074,
        -0.1278,
        (
            *("Strand", "Soho", "Holborn", "Covent Garden", "Victoria"),
            *("Waterloo", "Bank", "Euston", "Mayfair", "Borough"),
        ),
    ),
    _City(
        "Hong Kong",
        "HKD",
        "Asia/Hong_Kong",
        22.3000,
        114.1722,
        (
            *("Tsim Sha Tsui", "Mong Kok", "Jordan", "Yau Ma Tei", "Central"),
            *("Wan Chai", "Causeway Bay", "Sheung Wan", "Admiralty", "Hung Hom"),
        ),
    ),
)
COUNT = sum(len(city.streets) for city in _CITIES)
# What one of each is worth in dollars, roughly.
_WORTH: Mapping[str, Decimal] = {
    code: Decimal(worth)
    for code, worth in (
        *(("USD", "1"), ("EUR", "1.09"), ("GBP", "1.28"), ("SGD", "0.75"), ("HKD", "0.128")),
        *(
            ("JPY", "0.0067"),
            ("KRW", "0.00073"),
            ("THB", "0.028"),
            ("MYR", "0.22"),
            ("AUD", "0.66"),
        ),
    )
}
_UNITS = {"JPY": 100, "KRW": 1000, "THB": 100}
_HOURS = [{"weekday": day, "opens": "09:00", "closes": "19:30"} for day in range(1, 7)]
Line = tuple[str, str, int, Decimal, Decimal, None, None]


def names() -> Iterator[tuple[str, str, str]]:
    """Username, name and a word about each of the owners."""
    for city in _CITIES:
        for street in city.streets:
            username = f"{street} exchange".lower().replace(" ", "_")
            yield username, f"{street} Exchange", f"Money changer in {city.name}."


async def open_boards(
    connection: "asyncpg.Connection[Any]", owners: Sequence[UUID], now: datetime
) -> None:
    """Give each owner a board, confirmed within the last hours."""
    draw = random.Random(_SEED)  # noqa: S311 - demo data, and repeatable
    places = [(city, street) for city in _CITIES for street in city.streets]
    for owner_id, (city, street) in zip(owners, places, strict=True):
        age = timedelta(minutes=draw.randrange(10, 20 * 60))
        await _open(connection, owner_id, city, street, now - age, draw)


async def _open(
    connection: "asyncpg.Connection[Any]",
    owner_id: UUID,
    city: _City,
    street: str,
    confirmed_at: datetime,
    draw: random.Random,
) -> None:
    exchange_id, dealt = new_id(), draw.sample(sorted(_WORTH.keys() - {city.base}), 7)
    await connection.execute(
        _EXCHANGE,
        exchange_id,
        owner_id,
        f"{street} Exchange",
        city.base,
        f"{street}, {city.name}",
        city.lon + draw.uniform(-0.02, 0.02),
        city.lat + draw.uniform(-0.02, 0.02),
        city.time_zone,
        json.dumps(_HOURS),
        _VALID_FOR,
        confirmed_at,
        reminder_due(confirmed_at, _VALID_FOR),
        confirmed_at - _AGES[0],
    )
    seq, previous = 0, GENESIS
    for moment in (confirmed_at - age for age in (*_AGES, timedelta())):
        lines = [_line(city.base, currency, draw) for currency in sorted(dealt)]
        await connection.execute(
            _CONFIRMATION, new_id(), exchange_id, moment, city.base, _VALID_FOR
        )
        for line in lines:
            seq += 1
            event = Event(exchange_id, seq, moment, *line)
            previous = link(previous, event)
            await connection.execute(_EVENT, new_id(), *astuple(event), previous)
    for line in lines:
        await connection.execute(_LINE, new_id(), exchange_id, *line, confirmed_at)


def _line(base: str, currency: str, draw: random.Random) -> Line:
    """Around what the currency is worth, the changer's share on both sides of it."""
    unit = _UNITS.get(currency, 1)
    middle = _WORTH[currency] / _WORTH[base] * unit * _per_mille(draw.randint(-6, 6))
    buy, sell = (middle * _per_mille(draw.randint(*share)) for share in ((-12, -2), (2, 12)))
    return (currency, base, unit, buy.quantize(_DIGITS), sell.quantize(_DIGITS), None, None)


def _per_mille(number: int) -> Decimal:
    return Decimal(1000 + number) / 1000


_EXCHANGE = """
    INSERT INTO exchanges (id, owner_id, name, base_currency, address, location, time_zone,
                           opening_hours, valid_for_hours, confirmed_at, remind_at, updated_at,
                           version, created_at)
    VALUES ($1, $2, $3, $4, $5, ST_SetSRID(ST_MakePoint($6, $7), 4326)::geography, $8, $9, $10,
            $11, $12, $11, 1, $13)
"""
_CONFIRMATION = """
    INSERT INTO exchange_confirmations (id, exchange_id, at, base_currency, valid_for_hours)
    VALUES ($1, $2, $3, $4, $5)
"""
_EVENT = """
    INSERT INTO rate_events (id, exchange_id, seq, at, currency, base_currency, unit, we_buy,
                             we_sell, min_amount, max_amount, hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_LINE = """
    INSERT INTO exchange_rates (id, exchange_id, currency, base_currency, unit, we_buy, we_sell,
                                min_amount, max_amount, valid_from)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

"""Demo data: thirty boards in three cities, always the same, with three days of history; and for
measurements any number around towns that are made up.
"""

import json
import random
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, count, islice
from pathlib import Path
from struct import Struct
from typing import Any
from uuid import UUID

import asyncpg

from wxc.core.ids import new_id
from wxc.exchange.domain.chain import GENESIS_HASH, ChainEvent, event_hash
from wxc.exchange.domain.freshness import reminder_time

_SEED = 4217
_VALID_FOR = 24  # hours
_AGES = (timedelta(hours=72), timedelta(hours=48), timedelta(hours=24), timedelta(hours=1))
_NOW = timedelta()
_BATCH = 2000
_DIGITS = Decimal("0.0001")
# A point as PostGIS sends it: byte order, type, reference system, longitude, latitude (EWKB).
_EWKB_POINT = Struct("<BIIdd")
_EWKB_WITH_SRID = 0x20000001
_WGS_84 = 4326


@dataclass(frozen=True, slots=True)
class _City:
    """Where boards are: around a place, in the streets whose names they bear."""

    name: str
    base: str
    time_zone: str
    lat: float
    lon: float
    streets: Sequence[str]


_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_CITIES = tuple(_City(**city) for city in _DATA["cities"])
COUNT = sum(len(city.streets) for city in _CITIES)
_TOWN = 500  # boards around the middle of each town that is made up
_TOWN_SPREAD = 0.036  # degrees, some 4 km
_WORTH = {code: Decimal(worth) for code, worth in _DATA["worth"].items()}
_HOURS = [{"weekday": day, "opens": "09:00", "closes": "19:30"} for day in range(1, 7)]
Line = tuple[str, str, int, Decimal, Decimal, None, None]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one board is."""

    name: str
    city: _City
    lat: float
    lon: float


def names(owners: int = COUNT) -> Iterator[tuple[str, str, str | None]]:
    """Username, name and a word about each of the owners."""
    for city in _CITIES:
        for street in city.streets:
            username = f"{street} exchange".lower().replace(" ", "_")
            yield username, f"{street} Exchange", f"Money changer in {city.name}."
    for number in range(owners - COUNT):
        yield f"counter_{number}", f"Counter {number}", None


async def open_boards(
    connection: "asyncpg.Connection[Any]",
    owners: Sequence[UUID],
    now: datetime,
    progress: Callable[[int], None],
) -> None:
    """Give each owner a board, confirmed within the last hours; tell `progress` of how many.

    The first thirty, in the cities, have a history of three days.
    """
    await connection.set_type_codec(
        "geography", schema="public", encoder=bytes, decoder=bytes, format="binary"
    )
    draw = random.Random(_SEED)  # noqa: S311 - demo data, and repeatable
    boards = zip(owners, chain(_streets(draw), _counters(draw)), strict=False)
    numbered = enumerate(boards)
    while batch := list(islice(numbered, _BATCH)):
        rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
        for number, (owner_id, place) in batch:
            age = timedelta(minutes=draw.randrange(10, 20 * 60))
            ages = _AGES if number < COUNT else ()
            _open(rows, owner_id, place, [now - age - earlier for earlier in (*ages, _NOW)], draw)
        for table, columns in _COLUMNS.items():
            await connection.copy_records_to_table(
                table, records=rows[table], columns=columns.split()
            )
        progress(len(batch))


def _streets(draw: random.Random) -> Iterator[_Place]:
    for city in _CITIES:
        for street in city.streets:
            lon, lat = city.lon + draw.uniform(-0.02, 0.02), city.lat + draw.uniform(-0.02, 0.02)
            yield _Place(street, city, lat, lon)


def _counters(draw: random.Random) -> Iterator[_Place]:
    """Town after town, without an end."""
    bases = sorted(_WORTH)
    for number in count():
        if number % _TOWN == 0:
            lat, lon = draw.uniform(-45, 60), draw.uniform(-179, 179)
            name = f"town {number // _TOWN}"
            town = _City(name, draw.choice(bases), "UTC", lat, lon, ())
        lat, lon = draw.gauss(town.lat, _TOWN_SPREAD), draw.gauss(town.lon, _TOWN_SPREAD)
        yield _Place(f"Counter {number}", town, lat, lon)


def _open(
    rows: Mapping[str, list[tuple[Any, ...]]],
    owner_id: UUID,
    place: _Place,
    moments: Sequence[datetime],
    draw: random.Random,
) -> None:
    """Add a board whose lines all changed at each of the moments, the last of them the newest."""
    exchange_id, base = new_id(), place.city.base
    dealt = sorted(draw.sample(sorted(_WORTH.keys() - {base}), 7))
    confirmed_at = moments[-1]
    rows["exchanges"].append(
        (
            *(exchange_id, owner_id, f"{place.name} Exchange", base),
            f"{place.name}, {place.city.name}",
            _EWKB_POINT.pack(1, _EWKB_WITH_SRID, _WGS_84, place.lon, place.lat),
            *(place.city.time_zone, json.dumps(_HOURS), _VALID_FOR, confirmed_at),
            *(reminder_time(confirmed_at, _VALID_FOR), confirmed_at, 1, moments[0]),
        )
    )
    seq, previous = 0, GENESIS_HASH
    for moment in moments:
        rows["exchange_confirmations"].append((new_id(), exchange_id, moment, base, _VALID_FOR))
        lines = [_line(base, currency, draw) for currency in dealt]
        for line in lines:
            seq += 1
            event = ChainEvent(exchange_id, seq, moment, *line)
            previous = event_hash(previous, event)
            rows["rate_events"].append((new_id(), *astuple(event), previous))
    rows["exchange_rates"] += [(new_id(), exchange_id, *line, confirmed_at) for line in lines]


def _line(base: str, currency: str, draw: random.Random) -> Line:
    """Around what the currency is worth, the changer's share on both sides of it."""
    unit = _DATA["units"].get(currency, 1)
    middle = _WORTH[currency] / _WORTH[base] * unit * _per_mille(draw.randint(-6, 6))
    buy, sell = (middle * _per_mille(draw.randint(*share)) for share in ((-12, -2), (2, 12)))
    return (currency, base, unit, buy.quantize(_DIGITS), sell.quantize(_DIGITS), None, None)


def _per_mille(number: int) -> Decimal:
    return Decimal(1000 + number) / 1000


_COLUMNS = {
    "exchanges": "id owner_id name base_currency address location time_zone opening_hours "
    "valid_for_hours confirmed_at remind_at updated_at version created_at",
    "exchange_confirmations": "id exchange_id at base_currency valid_for_hours",
    "rate_events": "id exchange_id seq at currency base_currency unit we_buy we_sell min_amount "
    "max_amount hash",
    "exchange_rates": "id exchange_id currency base_currency unit we_buy we_sell min_amount "
    "max_amount valid_from",
}

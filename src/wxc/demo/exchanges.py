"""Demo data: thirty repeatable boards in three cities, with three days of history.

Measurements can add any number of boards in fictitious towns.
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
_VALID_FOR_HOURS = 24
_HISTORY_AGES = (timedelta(hours=72), timedelta(hours=48), timedelta(hours=24), timedelta(hours=1))
_LAST_AGE = timedelta()
_BATCH_SIZE = 2000
_RATE_STEP = Decimal("0.0001")
# A point as PostGIS sends it: byte order, type, reference system, longitude, latitude (EWKB).
_EWKB_POINT = Struct("<BIIdd")
_EWKB_WITH_SRID = 0x20000001
_WGS_84 = 4326


@dataclass(frozen=True, slots=True)
class _City:
    name: str
    base: str
    time_zone: str
    lat: float
    lon: float
    streets: Sequence[str]  # one board per street


_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_CITIES = tuple(_City(**city) for city in _DATA["cities"])
CITY_EXCHANGES = sum(len(city.streets) for city in _CITIES)
_EXCHANGES_PER_TOWN = 500  # around the centre of each fictitious town
_TOWN_SPREAD_DEGREES = 0.036  # about 4 km
_VALUES = {code: Decimal(value) for code, value in _DATA["worth"].items()}
_HOURS = [{"weekday": day, "opens": "09:00", "closes": "19:30"} for day in range(1, 7)]
RateLine = tuple[str, str, int, Decimal, Decimal, None, None]


@dataclass(frozen=True, slots=True)
class _Location:
    name: str
    city: _City
    lat: float
    lon: float


def owner_profiles(owners: int = CITY_EXCHANGES) -> Iterator[tuple[str, str, str | None]]:
    """Username, display name and bio of each owner."""
    for city in _CITIES:
        for street in city.streets:
            username = f"{street} exchange".lower().replace(" ", "_")
            yield username, f"{street} Exchange", f"Money changer in {city.name}."
    for number in range(owners - CITY_EXCHANGES):
        yield f"counter_{number}", f"Counter {number}", None


async def copy_exchanges(
    connection: "asyncpg.Connection[Any]",
    owners: Sequence[UUID],
    now: datetime,
    progress: Callable[[int], None],
) -> None:
    """Insert one board per owner, confirmed within the last 20 hours.

    Calls `progress` with the size of each batch. The first thirty boards are in the cities and have
    three days of history.
    """
    await connection.set_type_codec(
        "geography", schema="public", encoder=bytes, decoder=bytes, format="binary"
    )
    rng = random.Random(_SEED)  # noqa: S311 - repeatable demo data
    locations = zip(owners, chain(_city_locations(rng), _town_locations(rng)), strict=False)
    numbered = enumerate(locations)
    while batch := list(islice(numbered, _BATCH_SIZE)):
        rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
        for number, (owner_id, location) in batch:
            age = timedelta(minutes=rng.randrange(10, 20 * 60))
            ages = _HISTORY_AGES if number < CITY_EXCHANGES else ()
            moments = [now - age - earlier for earlier in (*ages, _LAST_AGE)]
            _add_exchange(rows, owner_id, location, moments, rng)
        for table, columns in _COLUMNS.items():
            await connection.copy_records_to_table(
                table, records=rows[table], columns=columns.split()
            )
        progress(len(batch))


def _city_locations(rng: random.Random) -> Iterator[_Location]:
    for city in _CITIES:
        for street in city.streets:
            lon, lat = city.lon + rng.uniform(-0.02, 0.02), city.lat + rng.uniform(-0.02, 0.02)
            yield _Location(street, city, lat, lon)


def _town_locations(rng: random.Random) -> Iterator[_Location]:
    """Yield locations without end, town by town."""
    bases = sorted(_VALUES)
    for number in count():
        if number % _EXCHANGES_PER_TOWN == 0:
            lat, lon = rng.uniform(-45, 60), rng.uniform(-179, 179)
            name = f"town {number // _EXCHANGES_PER_TOWN}"
            town = _City(name, rng.choice(bases), "UTC", lat, lon, ())
        lat, lon = (rng.gauss(centre, _TOWN_SPREAD_DEGREES) for centre in (town.lat, town.lon))
        yield _Location(f"Counter {number}", town, lat, lon)


def _add_exchange(
    rows: Mapping[str, list[tuple[Any, ...]]],
    owner_id: UUID,
    location: _Location,
    moments: Sequence[datetime],
    rng: random.Random,
) -> None:
    """Add a board whose lines all changed at each of the moments, oldest first."""
    exchange_id, base = new_id(), location.city.base
    currencies = sorted(rng.sample(sorted(_VALUES.keys() - {base}), 7))
    confirmed_at = moments[-1]
    rows["exchanges"].append(
        (
            *(exchange_id, owner_id, f"{location.name} Exchange", base),
            f"{location.name}, {location.city.name}",
            _EWKB_POINT.pack(1, _EWKB_WITH_SRID, _WGS_84, location.lon, location.lat),
            *(location.city.time_zone, json.dumps(_HOURS), _VALID_FOR_HOURS, confirmed_at),
            *(reminder_time(confirmed_at, _VALID_FOR_HOURS), confirmed_at, 1, moments[0]),
        )
    )
    seq, previous = 0, GENESIS_HASH
    for moment in moments:
        rows["exchange_confirmations"].append(
            (new_id(), exchange_id, moment, base, _VALID_FOR_HOURS)
        )
        lines = [_rate_line(base, currency, rng) for currency in currencies]
        for line in lines:
            seq += 1
            event = ChainEvent(exchange_id, seq, moment, *line)
            previous = event_hash(previous, event)
            rows["rate_events"].append((new_id(), *astuple(event), previous))
    rows["exchange_rates"] += [(new_id(), exchange_id, *line, confirmed_at) for line in lines]


def _rate_line(base: str, currency: str, rng: random.Random) -> RateLine:
    """A random rate near the currency's value, with a margin on both sides."""
    unit = _DATA["units"].get(currency, 1)
    middle = _VALUES[currency] / _VALUES[base] * unit * _per_mille(rng.randint(-6, 6))
    buy, sell = (middle * _per_mille(rng.randint(*margin)) for margin in ((-12, -2), (2, 12)))
    return (currency, base, unit, buy.quantize(_RATE_STEP), sell.quantize(_RATE_STEP), None, None)


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

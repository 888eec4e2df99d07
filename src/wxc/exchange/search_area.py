"""What is searched for, and how the results are ordered."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from struct import Struct
from typing import Any, cast

from sqlalchemy import Double, Numeric, String, bindparam

from wxc.db.prepared import VariantArgument
from wxc.exchange.domain.quotes import ConversionRequest

MAX_METRES = 50_000
DEFAULT_METRES = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Sort(StrEnum):
    """What comes first."""

    RECEIVE = "receive"
    """Where one receives most."""
    DISTANCE = "distance"
    """What is nearest."""


@dataclass(frozen=True, slots=True)
class SearchArea:
    """All within so many metres of a place."""

    lat: float
    lon: float
    metres: float


_AREA = cast(Any, SearchArea)(
    *(bindparam(f"search_{name}", type_=Double()) for name in ("lat", "lon", "metres"))
)
_CONVERSION = cast(Any, ConversionRequest)(
    bindparam("search_source", type_=String()),
    bindparam("search_target", type_=String()),
    bindparam("search_amount", type_=Numeric()),
)


@dataclass(frozen=True)
class Search(VariantArgument):
    """Near a place, able to do a conversion, or both."""

    area: SearchArea | None
    conversion: ConversionRequest | None
    sort: Sort
    is_open_now: bool
    with_stale: bool
    minor_units: int
    """Of the currency that is received; 0 without a conversion."""

    @property
    def variant(self) -> "Search":
        """The same search with bind parameters for its values."""
        area, conversion = self.area and _AREA, self.conversion and _CONVERSION
        return replace(self, area=area, conversion=conversion, is_open_now=False)

    @property
    def parameters(self) -> dict[str, Any]:
        """The values."""
        found: dict[str, Any] = {}
        if self.area is not None:
            area = self.area
            found |= {"search_lat": area.lat, "search_lon": area.lon, "search_metres": area.metres}
        if self.conversion is not None:
            wanted = self.conversion
            found |= {"search_source": wanted.source, "search_target": wanted.target}
            found["search_amount"] = wanted.from_amount
        return found

    def rank(self, instant: datetime, key: Decimal | float) -> bytes:
        """The rank of a board by the rates of that instant.

        `key` is the distance in metres, or what one receives in smallest units, negated: bytes of
        non-negative floats keep their order, and so do those of negative integers.
        """
        number = int(key) if self.sort is Sort.RECEIVE else key
        return self._form.pack((instant - _EPOCH) // _TICK, number)

    def unpacked(self, rank: bytes) -> tuple[datetime, Decimal | float]:
        """The instant and the key of a rank."""
        ticks, key = self._form.unpack(rank)
        return _EPOCH + ticks * _TICK, Decimal(key) if self.sort is Sort.RECEIVE else key

    @property
    def _form(self) -> Struct:
        """Metres are a float of PostGIS and come back bit by bit; amounts are integers."""
        return Struct(">qq" if self.sort is Sort.RECEIVE else ">qd")

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from struct import Struct

from wxc.exchange.domain.quotes import ConversionRequest

MAX_RADIUS_METRES = 50_000
DEFAULT_RADIUS_METRES = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Sort(StrEnum):
    """Order of the results."""

    RECEIVE = "receive"
    """Largest received amount first."""
    DISTANCE = "distance"
    """Nearest first."""


@dataclass(frozen=True, slots=True)
class SearchArea:
    lat: float
    lon: float
    radius_metres: float


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search in an area, for a conversion, or both."""

    area: SearchArea | None
    conversion: ConversionRequest | None
    sort: Sort
    is_open_now: bool
    include_stale: bool
    minor_units: int
    """Of the target currency; 0 without a conversion."""

    def pack_rank(self, instant: datetime, key: Decimal | float) -> bytes:
        """The rank of a board in a cursor: the instant of the rates, then `key`.

        `key` is the distance in metres, or the negated received amount in minor units. Ranks are
        compared as bytes: non-negative floats and negative integers keep their order when packed.
        """
        number = int(key) if self.sort is Sort.RECEIVE else key
        return self._rank_format.pack((instant - _EPOCH) // _MICROSECOND, number)

    def unpack_rank(self, rank: bytes) -> tuple[datetime, Decimal | float]:
        microseconds, key = self._rank_format.unpack(rank)
        instant = _EPOCH + microseconds * _MICROSECOND
        return instant, Decimal(key) if self.sort is Sort.RECEIVE else key

    @property
    def _rank_format(self) -> Struct:
        """Distances are PostGIS floats and must round-trip exactly; amounts are integers."""
        return Struct(">qq" if self.sort is Sort.RECEIVE else ">qd")

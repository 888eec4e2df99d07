"""A search for boards, the order of its results and their positions in cursors."""

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
    """What comes first."""

    RECEIVE = "receive"
    """Where one receives most."""
    DISTANCE = "distance"
    """What is nearest."""


@dataclass(frozen=True, slots=True)
class SearchArea:
    """A circle on the earth."""

    lat: float
    lon: float
    radius_metres: float


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Boards in an area, boards that can do a conversion, or both."""

    area: SearchArea | None
    conversion: ConversionRequest | None
    sort: Sort
    is_open_now: bool
    include_stale: bool
    minor_units: int
    """Of the target currency; 0 without a conversion."""

    def pack_rank(self, instant: datetime, key: Decimal | float) -> bytes:
        """The rank of a board by the rates of that instant, for a cursor.

        `key` is the distance in metres, or the received amount in minor units, negated. The bytes
        of non-negative floats keep their order, and so do those of negative integers.
        """
        number = int(key) if self.sort is Sort.RECEIVE else key
        return self._rank_format.pack((instant - _EPOCH) // _MICROSECOND, number)

    def unpack_rank(self, rank: bytes) -> tuple[datetime, Decimal | float]:
        """The instant and the key of a rank."""
        microseconds, key = self._rank_format.unpack(rank)
        instant = _EPOCH + microseconds * _MICROSECOND
        return instant, Decimal(key) if self.sort is Sort.RECEIVE else key

    @property
    def _rank_format(self) -> Struct:
        """Distances are floats of PostGIS and come back bit by bit; amounts are integers."""
        return Struct(">qq" if self.sort is Sort.RECEIVE else ">qd")

"""What is searched for, and where a page of what was found begins."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from struct import Struct
from uuid import UUID

from wxc.core.errors import InvalidCursor
from wxc.db.keyset import FORWARDS, CursorSealer
from wxc.exchange.quotes import Wish

MOST_METRES = 50_000
USUAL_METRES = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Sort(StrEnum):
    """What comes first."""

    RECEIVE = "receive"
    """Where one receives most."""
    DISTANCE = "distance"
    """What is nearest."""


@dataclass(frozen=True, slots=True)
class Circle:
    """All within so many metres of a place."""

    lat: float
    lon: float
    metres: float


@dataclass(frozen=True, slots=True)
class Search:
    """Near a place, able to do a conversion, or both."""

    circle: Circle | None
    wish: Wish | None
    sort: Sort
    is_open_now: bool
    with_stale: bool


@dataclass(frozen=True, slots=True)
class Position:
    """After which board a page begins; `key` is metres, or what is received in smallest units."""

    key: Decimal | float
    exchange_id: UUID


class SearchPage:
    """Which page of what search is wanted, by the rates of which instant."""

    def __init__(
        self, sealer: CursorSealer, scope: str, search: Search, limit: int, cursor: str | None
    ) -> None:
        self.search = search
        self.limit = limit
        self.instant: datetime | None = None
        """None for the first page: it is now."""
        self.position: Position | None = None
        self._seal = sealer
        self._scope = scope
        # Metres are a float of PostGIS and come back bit by bit; amounts are whole numbers.
        self._form = Struct(">qq" if search.sort is Sort.RECEIVE else ">qd")
        if cursor is not None:
            _, exchange_id, carried = sealer.open(scope, cursor)
            if len(carried) != self._form.size:
                raise InvalidCursor
            ticks, key = self._form.unpack(carried)
            self.instant = _EPOCH + ticks * _TICK
            number = Decimal(key) if search.sort is Sort.RECEIVE else key
            self.position = Position(number, exchange_id)

    def after(self, instant: datetime, position: Position) -> str:
        """The cursor of the page behind that board."""
        is_amount = isinstance(position.key, Decimal)
        key = int(position.key) if is_amount else position.key
        ticks = (instant - _EPOCH) // _TICK
        carried = self._form.pack(ticks, key)
        return self._seal.seal(self._scope, FORWARDS, position.exchange_id, carried)

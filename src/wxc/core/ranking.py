"""Pages of lists in an order of their own, such as what a search finds.

An item's place is its rank, bytes whose order is that of the list, and among equals its id. A
cursor holds the place beside which its page begins. Nothing is newer here: `prev_cursor` brings
the page before.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

from wxc.db.keyset import BACKWARDS, FORWARDS, CursorSealer, Cut, beside

Row = TypeVar("Row")


class Place(NamedTuple):
    """Where an item stands; places compare as the list is ordered."""

    rank: bytes
    id: UUID


class RankedRequest:
    """Which page of which list is wanted; `scope` names the list with its filters."""

    def __init__(self, sealer: CursorSealer, scope: str, limit: int, cursor: str | None) -> None:
        self.limit = limit
        self.is_backwards = False
        self.place: Place | None = None
        self._sealer = sealer
        self._scope = scope
        self._cursor = cursor
        if cursor is not None:
            direction, position, rank = sealer.open(scope, cursor)
            self.is_backwards = direction == BACKWARDS
            self.place = Place(rank, position)

    def cut(self, rows: Sequence[Row], place: Callable[[Row], Place]) -> Cut[Row]:
        """Make a page of up to `limit + 1` rows nearest to the cursor, in whatever order."""
        ordered = sorted(rows, key=place, reverse=self.is_backwards)
        nearest = ordered[: self.limit]
        if not nearest:
            return self._empty()
        shown = nearest[::-1] if self.is_backwards else nearest
        is_followed = self.is_backwards or len(ordered) > self.limit
        return Cut(
            shown,
            self._seal(FORWARDS, place(shown[-1])) if is_followed else None,
            self._seal(BACKWARDS, place(shown[0])),
        )

    def _empty(self) -> Cut[Row]:
        if self.place is None:
            return Cut([], None, None)
        rank, position = self.place
        if self.is_backwards:
            return Cut([], self._seal(FORWARDS, Place(rank, beside(position, -1))), self._cursor)
        return Cut([], None, self._seal(BACKWARDS, Place(rank, beside(position, 1))))

    def _seal(self, direction: bytes, place: Place) -> str:
        return self._sealer.seal(self._scope, direction, place.id, place.rank)

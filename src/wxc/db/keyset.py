"""Keyset pages: by UUIDv7 id, newest or oldest first, or by rank; no OFFSET, no totals.

A cursor holds a direction, an id and, in a list by rank, the rank of the item. It is signed for
one route and its filters.

In a list by age, a cursor to older items is exact. A cursor to newer ones is never younger than
two seconds before the page was read: ids are drawn before COMMIT, so a slower writer may still add
an item below the newest one of the page. Items of those two seconds may repeat; none is missed.

A list that is read oldest first grows at its end: there both cursors lead to newer items,
`next_cursor` to exactly the next one, `prev_cursor` reaching back.

A list by rank, such as what a search finds, has nothing newer: `prev_cursor` brings the page
before, and both cursors are exact.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, Uuid, bindparam, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core import clock
from wxc.core.ids import first_id_at
from wxc.db.cursors import CursorSealer
from wxc.db.prepared import Variant

DEFAULT_LIMIT = 20
GREATEST_LIMIT = 100
UNSETTLED = timedelta(seconds=2)
"""How far back one looks for what is new: ids are drawn before COMMIT."""
FORWARDS, BACKWARDS = b"o", b"n"  # as a list is read, and against it
_LEAST, _GREATEST = UUID(int=0), UUID(int=(1 << 128) - 1)

_POSITION = bindparam("page_position", type_=Uuid())
_LIMIT = bindparam("page_limit", type_=Integer())
# Statements with these limits have them written out: PostgreSQL plans once and for all what it
# knows the size of. A page of any other size is planned each time, which takes as long as to read.
USUAL_LIMITS = frozenset({10, DEFAULT_LIMIT, 50, GREATEST_LIMIT})

AnySelect = Select[*tuple[Any, ...]]
IdColumn = ColumnElement[UUID] | InstrumentedAttribute[UUID]
Row = TypeVar("Row")


class Order(Enum):
    """How a list is read."""

    NEWEST_FIRST = auto()
    OLDEST_FIRST = auto()
    BY_RANK = auto()
    """The lowest rank first, equals by id."""


class SortKey(NamedTuple):
    """The position of an item in a list by rank; keys compare as the list is ordered."""

    rank: bytes
    id: UUID


class Rank(NamedTuple):
    """What a list is ordered by before its ids."""

    column: ColumnElement[Any]
    start: ColumnElement[Any]
    """The rank that the cursor holds; of no meaning on the first page."""


Key = UUID | SortKey


@dataclass(frozen=True, slots=True)
class Cut(Generic[Row]):
    """The rows of one page and the cursors around them."""

    rows: Sequence[Row]
    next_cursor: str | None
    prev_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageShape:
    """What the statement of a page depends on; where it begins is a value."""

    is_first: bool
    ascends: bool
    usual_limit: int | None
    """How many items the page may have, if that is one of the usual limits."""

    @property
    def position(self) -> ColumnElement[UUID] | None:
        """Where the page begins; None at the very start."""
        return None if self.is_first else _POSITION

    @property
    def limit(self) -> ColumnElement[int] | int:
        """How many items the page may have."""
        return _LIMIT if self.usual_limit is None else self.usual_limit

    def window(self, statement: AnySelect, key: IdColumn, rank: Rank | None = None) -> AnySelect:
        """As `PageRequest.window`."""
        return _windowed(self, statement, key, rank)

    def head(self, statement: AnySelect, key: IdColumn, rank: Rank | None = None) -> AnySelect:
        """As `PageRequest.head`."""
        return _headed(self, statement, key, rank)


class PageRequest(Variant):
    """Which page of which list is wanted; `scope` names the list with its filters."""

    def __init__(
        self,
        sealer: CursorSealer,
        scope: str,
        limit: int,
        cursor: str | None,
        *,
        order: Order = Order.NEWEST_FIRST,
        carried: bytes = b"",
    ) -> None:
        """`carried` is in every cursor of a list by age, in place of a rank."""
        self.limit = limit
        self.key: SortKey | None = None
        """Where the page begins; the item itself is not in it. None at the very start."""
        self._sealer = sealer
        self._scope = scope
        self._cursor = cursor
        self._order = order
        self._carried = carried
        self._is_backwards = False
        if cursor is not None:
            direction, position, rank = sealer.open(scope, cursor)
            self.key = SortKey(rank, position)
            self._is_backwards = direction == BACKWARDS and order is not Order.OLDEST_FIRST
        self._settled = first_id_at(clock.now() - UNSETTLED)

    @property
    def ascends(self) -> bool:
        """Whether `window` reads from older items to newer ones, or from lower ranks to higher."""
        return self._is_backwards is (self._order is Order.NEWEST_FIRST)

    @property
    def position(self) -> UUID | None:
        """The id in `key`."""
        return None if self.key is None else self.key.id

    @property
    def shape(self) -> PageShape:
        """What its statement depends on."""
        usual = self.limit if self.limit in USUAL_LIMITS else None
        return PageShape(self.key is None, self.ascends, usual)

    @property
    def parameters(self) -> dict[str, UUID | int]:
        """The values for a statement of that shape."""
        position = {} if self.key is None else {"page_position": self.key.id}
        limit = {} if self.limit in USUAL_LIMITS else {"page_limit": self.limit}
        return {**position, **limit}

    def window(self, statement: AnySelect, key: IdColumn, rank: Rank | None = None) -> AnySelect:
        """`statement` with the page's bound, order and `limit + 1`, by the column `key`."""
        return _windowed(self, statement, key, rank)

    def head(self, statement: AnySelect, key: IdColumn, rank: Rank | None = None) -> AnySelect:
        """The same of a `statement` that selects from windows: these have the bound already."""
        return _headed(self, statement, key, rank)

    def cut(self, rows: Sequence[Row], key: Callable[[Row], Key]) -> Cut[Row]:
        """Make a page of what `window` fetched, in whatever order the rows came."""
        by_key: Callable[[Row], Any] = key
        ordered = sorted(rows, key=by_key, reverse=not self.ascends)
        return self.closed(ordered[: self.limit], key, has_more=len(ordered) > self.limit)

    def closed(
        self, ordered: Sequence[Row], key: Callable[[Row], Key], *, has_more: bool
    ) -> Cut[Row]:
        """The page of these rows, which come as `window` reads them."""
        if not ordered:
            return self._empty()
        shown = ordered[::-1] if self._is_backwards else ordered
        is_followed = has_more or self._is_backwards
        newest = shown[-1 if self._order is Order.OLDEST_FIRST else 0]
        return Cut(
            shown,
            self._seal(FORWARDS, key(shown[-1])) if is_followed else None,
            self._seal(BACKWARDS, key(newest)),
        )

    def cursor_after(self, key: Key) -> str:
        """The cursor of the page that begins behind that item."""
        return self._seal(FORWARDS, key)

    def moved(self, key: SortKey | None, limit: int) -> Self:
        """Another page of the same list, in the same direction."""
        page = copy(self)
        page.key, page.limit = key, limit
        return page

    def _empty(self) -> Cut[Row]:
        if self.key is None:
            return Cut([], None, None)
        if self._order is Order.OLDEST_FIRST:
            return Cut([], None, self._seal(BACKWARDS, self.key))
        # The bound is strict: beside the item, so that the other direction includes it.
        start = SortKey(self.key.rank, beside(self.key.id, 1 if self.ascends else -1))
        if self._is_backwards:
            return Cut([], self._seal(FORWARDS, start), self._cursor)
        return Cut([], None, self._seal(BACKWARDS, start))

    def _seal(self, direction: bytes, key: Key) -> str:
        rank, position = key if isinstance(key, SortKey) else (self._carried, key)
        if direction == BACKWARDS and self._order is not Order.BY_RANK:
            position = min(position, self._settled)
        return self._sealer.seal(self._scope, direction, position, rank)


def _windowed(
    page: PageShape | PageRequest, statement: AnySelect, key: IdColumn, rank: Rank | None
) -> AnySelect:
    position = page.position
    if position is not None and rank is None:
        statement = statement.where(key > position if page.ascends else key < position)
    elif position is not None and rank is not None:
        here, start = tuple_(rank.column, key), tuple_(rank.start, position)
        statement = statement.where(here > start if page.ascends else here < start)
    return _headed(page, statement, key, rank)


def _headed(
    page: PageShape | PageRequest, statement: AnySelect, key: IdColumn, rank: Rank | None
) -> AnySelect:
    order = (key,) if rank is None else (rank.column, key)
    directed = [one.asc() if page.ascends else one.desc() for one in order]
    return statement.order_by(*directed).limit(page.limit + 1)


def list_scope(path: str, owner: str = "", filters: Sequence[tuple[str, str]] = ()) -> str:
    """The name of the list at this address, belonging to `owner` where it is somebody's own."""
    return repr((path.lower(), owner, sorted(filters)))


def resume(
    sealer: CursorSealer, scope: str, carried: bytes, *, oldest_first: bool, after: UUID | None
) -> str:
    """The `cursor` that reads another list from behind `after`, or from its beginning."""
    beginning = _LEAST if oldest_first else _GREATEST
    return sealer.seal(scope, FORWARDS, after or beginning, carried)


def beside(position: UUID, step: int) -> UUID:
    """The neighbouring id, so that a strict bound includes `position` itself."""
    return UUID(int=min(max(position.int + step, 0), (1 << 128) - 1))

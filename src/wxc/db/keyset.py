"""Keyset pagination by UUIDv7 id, newest or oldest first, or by rank; no OFFSET, no totals.

A cursor contains a direction, an id and, in a list by rank, the rank of the item. It is signed for
one route and its filters.

In a list by age, a cursor to older items is exact. A cursor to newer items starts at least two
seconds before the page was read: ids are generated before COMMIT, so a slower transaction may still
add an item older than the newest one on the page. Items may repeat; none is missed.

An oldest-first list grows at its end, so both cursors lead to newer items; only `next_cursor` is
exact.

In a list by rank, such as search results, both cursors are exact.
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
from wxc.db.cursors import CursorSigner
from wxc.db.prepared import VariantArgument

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
SETTLE_WINDOW = timedelta(seconds=2)
"""How far back a poll for newer items starts."""
FORWARDS, BACKWARDS = b"o", b"n"  # in reading order, and against it
_MIN_ID, _MAX_ID = UUID(int=0), UUID(int=(1 << 128) - 1)

_POSITION = bindparam("page_position", type_=Uuid())
_LIMIT = bindparam("page_limit", type_=Integer())
# These limits are inline literals, with which PostgreSQL caches the plan. It plans other page sizes
# for each execution, which takes as long as reading the page.
INLINE_LIMITS = frozenset({10, DEFAULT_LIMIT, 50, MAX_LIMIT})

AnySelect = Select[*tuple[Any, ...]]
IdColumn = ColumnElement[UUID] | InstrumentedAttribute[UUID]
Row = TypeVar("Row")


class Order(Enum):
    NEWEST_FIRST = auto()
    OLDEST_FIRST = auto()
    BY_RANK = auto()
    """Lowest rank first, ties by id."""


class SortKey(NamedTuple):
    """The position of an item in a list by rank; keys sort like the list."""

    rank: bytes
    id: UUID


class Rank(NamedTuple):
    """The expression by which a list is ordered before the id."""

    column: ColumnElement[Any]
    start: ColumnElement[Any]
    """The rank in the cursor; unused on the first page."""


Key = UUID | SortKey


@dataclass(frozen=True, slots=True)
class PageSlice(Generic[Row]):
    rows: Sequence[Row]
    next_cursor: str | None
    prev_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageVariant:
    """The properties of a page that its SQL depends on; the position is a bind parameter."""

    is_first: bool
    ascends: bool
    inline_limit: int | None
    """The limit, if it is one of `INLINE_LIMITS`."""

    @property
    def position(self) -> ColumnElement[UUID] | None:
        """The id after which the page starts; None on the first page."""
        return None if self.is_first else _POSITION

    @property
    def limit(self) -> ColumnElement[int] | int:
        return _LIMIT if self.inline_limit is None else self.inline_limit

    def window(self, statement: AnySelect, key: IdColumn, rank: Rank | None = None) -> AnySelect:
        return _apply_window(self, statement, key, rank)

    def order_and_limit(
        self, statement: AnySelect, key: IdColumn, rank: Rank | None = None
    ) -> AnySelect:
        return _apply_order_and_limit(self, statement, key, rank)


class PageRequest(VariantArgument):
    """A request for one page of a list; `scope` names the list with its filters."""

    def __init__(
        self,
        signer: CursorSigner,
        scope: str,
        limit: int,
        cursor: str | None,
        *,
        order: Order = Order.NEWEST_FIRST,
        extra: bytes = b"",
    ) -> None:
        """`extra` is stored in every cursor of a list by age, in place of a rank."""
        self.limit = limit
        self.key: SortKey | None = None
        """The sort key after which the page starts; None on the first page."""
        self._signer = signer
        self._scope = scope
        self._cursor = cursor
        self._order = order
        self._extra = extra
        self._is_backwards = False
        if cursor is not None:
            direction, position, rank = signer.verify(scope, cursor)
            self.key = SortKey(rank, position)
            self._is_backwards = direction == BACKWARDS and order is not Order.OLDEST_FIRST
        self._settled_id = first_id_at(clock.now() - SETTLE_WINDOW)

    @property
    def ascends(self) -> bool:
        """Whether `window` reads from older items to newer ones, or from lower ranks to higher."""
        return self._is_backwards is (self._order is Order.NEWEST_FIRST)

    @property
    def position(self) -> UUID | None:
        return None if self.key is None else self.key.id

    @property
    def variant(self) -> PageVariant:
        inline_limit = self.limit if self.limit in INLINE_LIMITS else None
        return PageVariant(self.key is None, self.ascends, inline_limit)

    @property
    def parameters(self) -> dict[str, UUID | int]:
        position = {} if self.key is None else {"page_position": self.key.id}
        limit = {} if self.limit in INLINE_LIMITS else {"page_limit": self.limit}
        return {**position, **limit}

    def window(self, statement: AnySelect, key: IdColumn, rank: Rank | None = None) -> AnySelect:
        """Add the page's bound, order and `LIMIT limit + 1` to `statement`."""
        return _apply_window(self, statement, key, rank)

    def order_and_limit(
        self, statement: AnySelect, key: IdColumn, rank: Rank | None = None
    ) -> AnySelect:
        """As `window` without the bound, for a `statement` that selects from windows."""
        return _apply_order_and_limit(self, statement, key, rank)

    def slice(self, rows: Sequence[Row], key: Callable[[Row], Key]) -> PageSlice[Row]:
        """The page of the rows that `window` fetched, in any order."""
        by_key: Callable[[Row], Any] = key
        ordered = sorted(rows, key=by_key, reverse=not self.ascends)
        return self.slice_of(ordered[: self.limit], key, has_more=len(ordered) > self.limit)

    def slice_of(
        self, ordered: Sequence[Row], key: Callable[[Row], Key], *, has_more: bool
    ) -> PageSlice[Row]:
        """As `slice`, for at most `limit` rows in the order of `window`."""
        if not ordered:
            return self._empty_slice()
        items = ordered[::-1] if self._is_backwards else ordered
        has_next = has_more or self._is_backwards
        newest = items[-1 if self._order is Order.OLDEST_FIRST else 0]
        return PageSlice(
            items,
            self._sign(FORWARDS, key(items[-1])) if has_next else None,
            self._sign(BACKWARDS, key(newest)),
        )

    def cursor_after(self, key: Key) -> str:
        """The cursor of the page that starts after `key`."""
        return self._sign(FORWARDS, key)

    def starting_at(self, key: SortKey | None, limit: int) -> Self:
        """Another page of the same list, in the same direction."""
        page = copy(self)
        page.key, page.limit = key, limit
        return page

    def _empty_slice(self) -> PageSlice[Row]:
        if self.key is None:
            return PageSlice([], None, None)
        if self._order is Order.OLDEST_FIRST:
            return PageSlice([], None, self._sign(BACKWARDS, self.key))
        # The bound is strict: the adjacent id makes the other direction include the item.
        start = SortKey(self.key.rank, adjacent(self.key.id, 1 if self.ascends else -1))
        if self._is_backwards:
            return PageSlice([], self._sign(FORWARDS, start), self._cursor)
        return PageSlice([], None, self._sign(BACKWARDS, start))

    def _sign(self, direction: bytes, key: Key) -> str:
        rank, position = key if isinstance(key, SortKey) else (self._extra, key)
        if direction == BACKWARDS and self._order is not Order.BY_RANK:
            position = min(position, self._settled_id)
        return self._signer.sign(self._scope, direction, position, rank)


def _apply_window(
    page: PageVariant | PageRequest, statement: AnySelect, key: IdColumn, rank: Rank | None
) -> AnySelect:
    position = page.position
    if position is not None and rank is None:
        statement = statement.where(key > position if page.ascends else key < position)
    elif position is not None and rank is not None:
        current, start = tuple_(rank.column, key), tuple_(rank.start, position)
        statement = statement.where(current > start if page.ascends else current < start)
    return _apply_order_and_limit(page, statement, key, rank)


def _apply_order_and_limit(
    page: PageVariant | PageRequest, statement: AnySelect, key: IdColumn, rank: Rank | None
) -> AnySelect:
    order = (key,) if rank is None else (rank.column, key)
    directed = [column.asc() if page.ascends else column.desc() for column in order]
    return statement.order_by(*directed).limit(page.limit + 1)


def list_scope(path: str, owner: str = "", filters: Sequence[tuple[str, str]] = ()) -> str:
    """The name of the list at this address; `owner` distinguishes a user's own list."""
    return repr((path.lower(), owner, sorted(filters)))


def start_cursor(
    signer: CursorSigner, scope: str, extra: bytes, *, oldest_first: bool, after: UUID | None
) -> str:
    """A cursor that starts the list `scope` after the id `after`, or at its beginning."""
    start = _MIN_ID if oldest_first else _MAX_ID
    return signer.sign(scope, FORWARDS, after or start, extra)


def adjacent(position: UUID, step: int) -> UUID:
    """The neighbouring id, so that a strict bound includes `position` itself."""
    return UUID(int=min(max(position.int + step, 0), (1 << 128) - 1))

"""Keyset pages over UUIDv7 ids: newest first, or oldest first; no OFFSET, no totals.

A cursor holds a direction and an id, signed for one route and its filters; where a list says so,
also what it `carries`. Towards older items the id is exact. Towards newer ones it is never
younger than two seconds before the page was read: ids are drawn before COMMIT, so up to that
moment a slower writer may still add an item below the newest one we have seen. Items of those
two seconds may repeat; none is missed.

A list that is read oldest first grows at its end: there both cursors lead to newer items,
`next_cursor` to exactly the next one, `prev_cursor` reaching back.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Integer, Select, Uuid, bindparam
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core import clock
from wxc.core.errors import InvalidCursor
from wxc.core.ids import first_id_at
from wxc.db.prepared import Variant

DEFAULT_LIMIT = 20
GREATEST_LIMIT = 100
LONGEST_CURSOR = 256
_NEXT = "bwGYwqR8Hn06nwBcLkp7HZDW3kQm1vX5cT0aYpJr8sLfUw"
_PREV = "bgGYwqaB2m98iwBxTnq4KZGV5hPc0yR7eS2dWmJu9tNgVx"
UNSETTLED = timedelta(seconds=2)
"""How far back one looks for what is new: ids are drawn before COMMIT."""
_SIGNATURE_LENGTH = 16
FORWARDS, BACKWARDS = b"o", b"n"  # to older items and to newer ones, where age is the order
_PAYLOAD_LENGTH = 17  # a direction and an id; what is carried comes after them
_LEAST, _GREATEST = UUID(int=0), UUID(int=(1 << 128) - 1)

_POSITION = bindparam("page_position", type_=Uuid())
_LIMIT = bindparam("page_limit", type_=Integer())
# Statements with these limits have them written out: PostgreSQL plans once and for all what it
# knows the size of. A page of any other size is planned each time, which takes as long as to read.
USUAL_LIMITS = frozenset({10, DEFAULT_LIMIT, 50, GREATEST_LIMIT})

AnySelect = Select[*tuple[Any, ...]]
IdColumn = ColumnElement[UUID] | InstrumentedAttribute[UUID]
Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """One page of a list, newest first unless the list says otherwise."""

    # Attribute docstrings would be looked for anew for each kind of item, in all modules there
    # are: a tenth of a second of every start.
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"next_cursor": _NEXT, "prev_cursor": _PREV}]}
    )

    items: Annotated[
        list[Item],
        Field(description="At most `limit` of them; a page may be shorter and yet not the last."),
    ]
    next_cursor: Annotated[
        str | None,
        Field(description="Brings the next page, of older items; null marks the end of the list."),
    ]
    prev_cursor: Annotated[
        str | None,
        Field(description="Brings what is newer; poll with it. The last two seconds may repeat."),
    ]


@dataclass(frozen=True, slots=True)
class Cut(Generic[Row]):
    """The rows of one page and the cursors around them."""

    rows: Sequence[Row]
    next_cursor: str | None
    prev_cursor: str | None


class CursorSealer:
    """Signs positions in lists, and opens what it has signed.

    By keyed BLAKE2b (RFC 7693), at a third of an HMAC's price: a thread may hold 500 cursors.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, scope: str, direction: bytes, position: UUID, carried: bytes = b"") -> str:
        """The cursor for `position` in the list that `scope` names."""
        payload = direction + position.bytes + carried
        return _encoded(payload + self._sign(payload, scope))

    def open(self, scope: str, cursor: str) -> tuple[bytes, UUID, bytes]:
        """Direction, position and what is carried; raises `InvalidCursor` for what is not ours."""
        raw = _decoded(cursor)
        payload, signature = raw[:-_SIGNATURE_LENGTH], raw[-_SIGNATURE_LENGTH:]
        if len(payload) < _PAYLOAD_LENGTH or not self._is_signed(payload, scope, signature):
            raise InvalidCursor
        return payload[:1], UUID(bytes=payload[1:_PAYLOAD_LENGTH]), payload[_PAYLOAD_LENGTH:]

    def _is_signed(self, payload: bytes, scope: str, signature: bytes) -> bool:
        return hmac.compare_digest(self._sign(payload, scope), signature)

    def _sign(self, payload: bytes, scope: str) -> bytes:
        """The length keeps a payload and the scope after it apart."""
        signed = bytes([len(payload)]) + payload + scope.encode()
        return hashlib.blake2b(signed, key=self._key, digest_size=_SIGNATURE_LENGTH).digest()


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

    def window(self, statement: AnySelect, key: IdColumn) -> AnySelect:
        """As `PageRequest.window`."""
        return _windowed(statement, key, self.position, self.limit, ascends=self.ascends)

    def head(self, statement: AnySelect, key: IdColumn) -> AnySelect:
        """As `PageRequest.head`."""
        return _headed(statement, key, self.limit, ascends=self.ascends)


class PageRequest(Variant):
    """Which page of which list is wanted; `scope` names the list with its filters."""

    def __init__(
        self,
        sealer: CursorSealer,
        scope: str,
        limit: int,
        cursor: str | None,
        *,
        oldest_first: bool = False,
        carried: bytes = b"",
    ) -> None:
        self.limit = limit
        self.oldest_first = oldest_first
        self._sealer = sealer
        self._scope = scope
        self._cursor = cursor
        self._carried = carried
        self._direction = BACKWARDS if oldest_first else FORWARDS
        self._position: UUID | None = None
        if cursor is not None:
            self._direction, self._position, _ = sealer.open(scope, cursor)
        self._settled = first_id_at(clock.now() - UNSETTLED)

    @property
    def ascends(self) -> bool:
        """Whether `window` reads from older items to newer ones."""
        return self._direction == BACKWARDS

    @property
    def position(self) -> UUID | None:
        """Where the page begins; the item itself is not in it. None at the very start."""
        return self._position

    @property
    def shape(self) -> PageShape:
        """What its statement depends on."""
        usual = self.limit if self.limit in USUAL_LIMITS else None
        return PageShape(self._position is None, self.ascends, usual)

    @property
    def parameters(self) -> dict[str, UUID | int]:
        """The values for a statement of that shape."""
        position = {} if self._position is None else {"page_position": self._position}
        limit = {} if self.limit in USUAL_LIMITS else {"page_limit": self.limit}
        return {**position, **limit}

    def window(self, statement: AnySelect, key: IdColumn) -> AnySelect:
        """`statement` with the page's bound, order and `limit + 1`, by the column `key`."""
        return _windowed(statement, key, self._position, self.limit, ascends=self.ascends)

    def head(self, statement: AnySelect, key: IdColumn) -> AnySelect:
        """The same of a `statement` that selects from windows: these have the bound already."""
        return _headed(statement, key, self.limit, ascends=self.ascends)

    def cut(self, rows: Sequence[Row], key: Callable[[Row], UUID]) -> Cut[Row]:
        """Make a page of what `window` fetched, in whatever order the rows came."""
        ordered = sorted(rows, key=key, reverse=not self.ascends)
        return self.closed(ordered[: self.limit], key, has_more=len(ordered) > self.limit)

    def closed(
        self, ordered: Sequence[Row], key: Callable[[Row], UUID], *, has_more: bool
    ) -> Cut[Row]:
        """The page of these rows, which come as `window` reads them."""
        if not ordered:
            return self._empty()
        newest = max(key(ordered[0]), key(ordered[-1]))
        prev_cursor = self._seal(BACKWARDS, min(newest, self._settled))
        if self.oldest_first:
            return Cut(ordered, self._seal(BACKWARDS, newest) if has_more else None, prev_cursor)
        shown = ordered[::-1] if self.ascends else ordered
        is_followed = has_more or self.ascends
        next_cursor = self._seal(FORWARDS, key(shown[-1])) if is_followed else None
        return Cut(shown, next_cursor, prev_cursor)

    def _empty(self) -> Cut[Row]:
        if self._position is None:
            return Cut([], None, None)
        if self.oldest_first:
            return Cut([], None, self._seal(BACKWARDS, min(self._position, self._settled)))
        if self.ascends:
            return Cut([], self._seal(FORWARDS, beside(self._position, 1)), self._cursor)
        return Cut([], None, self._seal(BACKWARDS, min(beside(self._position, -1), self._settled)))

    def _seal(self, direction: bytes, position: UUID) -> str:
        return self._sealer.seal(self._scope, direction, position, self._carried)


def _windowed(
    statement: AnySelect,
    key: IdColumn,
    position: ColumnElement[UUID] | UUID | None,
    limit: ColumnElement[int] | int,
    *,
    ascends: bool,
) -> AnySelect:
    if position is not None:
        statement = statement.where(key > position if ascends else key < position)
    return _headed(statement, key, limit, ascends=ascends)


def _headed(
    statement: AnySelect, key: IdColumn, limit: ColumnElement[int] | int, *, ascends: bool
) -> AnySelect:
    return statement.order_by(key.asc() if ascends else key.desc()).limit(limit + 1)


def list_scope(path: str, owner: str = "", filters: Sequence[tuple[str, str]] = ()) -> str:
    """The name of the list at this address, belonging to `owner` where it is somebody's own."""
    return repr((path.lower(), owner, sorted(filters)))


def resume(
    sealer: CursorSealer, scope: str, carried: bytes, *, oldest_first: bool, after: UUID | None
) -> str:
    """The `cursor` that reads another list from behind `after`, or from its beginning."""
    direction, beginning = (BACKWARDS, _LEAST) if oldest_first else (FORWARDS, _GREATEST)
    return sealer.seal(scope, direction, after or beginning, carried)


def beside(position: UUID, step: int) -> UUID:
    """The neighbouring id, so that a strict bound includes `position` itself."""
    return UUID(int=min(max(position.int + step, 0), (1 << 128) - 1))


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(cursor: str) -> bytes:
    try:
        raw = urlsafe_b64decode(cursor[:LONGEST_CURSOR] + "=" * (-len(cursor) % 4))
    except ValueError:
        raise InvalidCursor from None
    # The decoder skips what is not base64; a cursor has exactly one spelling.
    if _encoded(raw) != cursor:
        raise InvalidCursor
    return raw

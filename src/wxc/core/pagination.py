"""Keyset pages over UUIDv7 ids: newest first, no OFFSET, no totals.

A cursor holds a direction and an id, signed for one route and its filters. Towards older items
the id is exact. Towards newer ones it is never younger than two seconds before the page was
read: ids are drawn before COMMIT, so up to that moment a slower writer may still add an item
below the newest one we have seen. Items of those two seconds may repeat; none is missed.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from wxc.core import clock
from wxc.core.database import AnySelect, IdColumn
from wxc.core.errors import InvalidCursor
from wxc.core.ids import first_id_at
from wxc.core.signing import is_signed, sign

DEFAULT_LIMIT = 20
GREATEST_LIMIT = 100
LONGEST_CURSOR = 256
_UNSETTLED = timedelta(seconds=2)
_SIGNATURE_LENGTH = 16
_OLDER, _NEWER = b"o", b"n"

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """One page of a list, newest first."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    items: list[Item]
    next_cursor: str | None
    """Brings the next older page; null marks the end of the list."""
    prev_cursor: str | None
    """Brings what is newer; poll with it. The last two seconds may repeat."""


@dataclass(frozen=True, slots=True)
class Cut(Generic[Row]):
    """The rows of one page and the cursors around them."""

    rows: Sequence[Row]
    next_cursor: str | None
    prev_cursor: str | None


class CursorSealer:
    """Signs positions in lists, and opens what it has signed."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, scope: str, direction: bytes, position: UUID) -> str:
        """The cursor for `position` in the list that `scope` names."""
        return self.seal_payload(scope, direction + position.bytes)

    def open(self, scope: str, cursor: str) -> tuple[bytes, UUID]:
        """Direction and position; raises `InvalidCursor` for what was not sealed so."""
        payload = self.open_payload(scope, cursor, 17)
        return payload[:1], UUID(bytes=payload[1:])

    def seal_payload(self, scope: str, payload: bytes) -> str:
        """The cursor for a position of any kind in the list that `scope` names."""
        signature = sign(self._key, payload + scope.encode(), _SIGNATURE_LENGTH)
        return _encoded(payload + signature)

    def open_payload(self, scope: str, cursor: str, length: int) -> bytes:
        """What was sealed so, of that length; raises `InvalidCursor` for anything else."""
        raw = _decoded(cursor)
        payload, signature = raw[:-_SIGNATURE_LENGTH], raw[-_SIGNATURE_LENGTH:]
        is_ours = is_signed(self._key, payload + scope.encode(), signature)
        if len(payload) != length or not is_ours:
            raise InvalidCursor
        return payload


class PageRequest:
    """Which page of which list is wanted; `scope` names the list with its filters."""

    def __init__(self, sealer: CursorSealer, scope: str, limit: int, cursor: str | None) -> None:
        self.limit = limit
        self._sealer = sealer
        self._scope = scope
        self._cursor = cursor
        self._direction = _OLDER
        self._position: UUID | None = None
        if cursor is not None:
            self._direction, self._position = sealer.open(scope, cursor)
        self._settled = first_id_at(clock.now() - _UNSETTLED)

    @property
    def is_towards_newer(self) -> bool:
        """Whether the page adjacent on the newer side is wanted."""
        return self._direction == _NEWER

    @property
    def position(self) -> UUID | None:
        """Where the page begins; the item itself is not in it. None at the very start."""
        return self._position

    def window(self, statement: AnySelect, key: IdColumn) -> AnySelect:
        """`statement` with the page's bound, order and `limit + 1`, by the column `key`."""
        if self._direction == _NEWER:
            return statement.where(key > self._position).order_by(key.asc()).limit(self.limit + 1)
        if self._position is not None:
            statement = statement.where(key < self._position)
        return statement.order_by(key.desc()).limit(self.limit + 1)

    def cut(self, rows: Sequence[Row], key: Callable[[Row], UUID]) -> Cut[Row]:
        """Make a page of what `window` fetched, in whatever order the rows came."""
        newer = self._direction == _NEWER
        ordered = sorted(rows, key=key, reverse=not newer)
        has_more, ordered = len(ordered) > self.limit, ordered[: self.limit]
        if newer:
            ordered.reverse()
        if not ordered:
            return self._empty(newer)
        first, last = key(ordered[0]), key(ordered[-1])
        return Cut(
            ordered,
            self._seal(_OLDER, last) if has_more or newer else None,
            self._seal(_NEWER, min(first, self._settled)),
        )

    def _empty(self, newer: bool) -> Cut[Row]:
        if self._position is None:
            return Cut([], None, None)
        if newer:
            return Cut([], self._seal(_OLDER, _beside(self._position, 1)), self._cursor)
        return Cut([], None, self._seal(_NEWER, min(_beside(self._position, -1), self._settled)))

    def _seal(self, direction: bytes, position: UUID) -> str:
        return self._sealer.seal(self._scope, direction, position)


def _beside(position: UUID, step: int) -> UUID:
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

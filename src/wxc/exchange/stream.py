"""The stream of a board: its state, then its changes.

Nothing depends on an event arriving: each look reads the changes after the last one that was sent,
by the numbers that changes get under their board's lock.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.service.sessions import is_live
from wxc.core import clock
from wxc.core.events import Events
from wxc.core.times import rfc3339
from wxc.db.database import Database
from wxc.exchange.domain.chain import GENESIS
from wxc.exchange.domain.freshness import state_of
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.repository.boards import BoardHead, head_of_board
from wxc.exchange.repository.history import RateEventRow, changes_of_board
from wxc.exchange.schemas.exchanges import Exchange
from wxc.exchange.schemas.history import Confirmation, RateChange
from wxc.exchange.service.history import present_change
from wxc.exchange.service.reading import find_exchange, is_hidden
from wxc.exchange.service.writing import topic_of
from wxc.http.streams import Reset, SessionEnd, wakeups

_REPLAY_RETENTION = timedelta(hours=24)
_BATCH = 500
_MAX_REPLAYED = 1000
_HEAD = re.compile(r"([0-9]{1,9}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """The last known change of a board, in the notation of `wxc verify-rates`."""

    seq: int
    hash: bytes

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The head of an event id; None for any other text."""
        found = _HEAD.fullmatch(text)
        return cls(int(found[1]), bytes.fromhex(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


_BEGINNING = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Watched:
    """A board that the viewer may watch, and the last change that it includes."""

    id: UUID
    username: str
    viewer: Principal | None
    exchange: Exchange
    head: Head
    confirmed_at: datetime

    @property
    def viewer_id(self) -> UUID | None:
        """None for an anonymous viewer."""
        return self.viewer.id if self.viewer else None


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the stream, which may be resumed at `head`."""

    head: Head
    name: Literal["snapshot", "rates", "confirmed"]
    content: Exchange | RateChange | Confirmation


StreamEvent = Event | Reset | SessionEnd


async def open_board(database: Database, username: str, viewer: Principal | None) -> Watched:
    """That member's board, from the primary; raises as `find_exchange` does."""
    viewer_id = viewer.id if viewer else None
    # The head first: a change in between is sent once more, and none is missed.
    head = await database.primary.fetch_one(head_of_board(username, viewer_id))
    found = await find_exchange(database.primary, username, viewer_id, None)
    if head is None or str(head.id) != found.body["id"]:
        raise ExchangeNotFound  # it was opened between the two statements
    return Watched(head.id, username, viewer, found.body, _head(head), head.confirmed_now)


async def follow(
    database: Database, events: Events, auth: Auth, board: Watched, last_event_id: str | None
) -> AsyncIterator[StreamEvent]:
    """The board, then what was missed since `last_event_id`, then its changes as they come.

    Ends when the viewer can no longer see the board. No connection is held between two looks.
    """
    resumed = await _resumed_at(database, board, last_event_id) if last_event_id else None
    tail = _Tail(database, board, resumed or board.head)
    yield Event(tail.head, "snapshot", board.exchange)
    if last_event_id and resumed is None:
        yield Reset()
    topics = [topic_of(board.id)]
    if board.viewer is not None:
        topics.append(auth.revocations.topic_of(board.viewer.session_id))
    async with aclosing(wakeups(events, topics)) as times:
        async for _ in times:
            if board.viewer and not await is_live(
                database,
                board.viewer.session_id,
            ):
                yield SessionEnd()
                return
            for event in await tail.read():
                yield event
            if tail.has_ended:
                return


async def _resumed_at(database: Database, board: Watched, last_event_id: str) -> Head | None:
    """The head that the client knows.

    None when it is not of this board, or when too much has followed, or too long ago.
    """
    known = Head.read(last_event_id)
    if known is None:
        return None
    # One more than may be replayed, and the known one.
    rows = await database.primary.fetch(
        changes_of_board(board.id, known.seq, limit=_MAX_REPLAYED + 2)
    )
    if known != _BEGINNING:
        if not rows or _head(rows[0]) != known:
            return None
        rows = rows[1:]
    if len(rows) > _MAX_REPLAYED or (rows and clock.now() - rows[0].at > _REPLAY_RETENTION):
        return None
    return known


class _Tail:
    """Reads the changes after the last one that was sent."""

    def __init__(self, database: Database, board: Watched, head: Head) -> None:
        self._database = database
        self._board = board
        self._confirmed_at = board.confirmed_at
        self.head = head
        self.has_ended = False

    async def read(self) -> list[Event]:
        """The changes that are new, in order, or the confirmation of the unchanged board."""
        viewer_id = self._board.viewer_id
        primary = self._database.primary
        head = await primary.fetch_one(head_of_board(self._board.username, viewer_id))
        if head is None or head.id != self._board.id or is_hidden(head, viewer_id):
            self.has_ended = True
            return []
        changes: list[RateEventRow] = []
        while self.head.seq < (head.seq or 0):
            found = await primary.fetch(changes_of_board(head.id, self.head.seq + 1, limit=_BATCH))
            if not found:  # deleted a moment ago
                self.has_ended = True
                break
            changes += found
            self.head = _head(found[-1])
        return self._events(head, changes)

    def _events(self, head: BoardHead, changes: Sequence[RateEventRow]) -> list[Event]:
        events = [Event(_head(one), "rates", present_change(one)) for one in changes]
        if head.confirmed_now > max([self._confirmed_at, *(one.at for one in changes)]):
            events.append(Event(self.head, "confirmed", _confirmation(head)))
        self._confirmed_at = max(self._confirmed_at, head.confirmed_now)
        return events


def _head(row: BoardHead | RateEventRow) -> Head:
    return _BEGINNING if row.seq is None or row.hash is None else Head(row.seq, row.hash)


def _confirmation(head: BoardHead) -> Confirmation:
    return {
        "confirmed_at": rfc3339(head.confirmed_now),
        "valid_for_hours": head.valid_now,
        "state": state_of(head.confirmed_now, head.valid_now, clock.now()),
    }

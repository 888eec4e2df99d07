"""A board as it changes.

Nothing depends on an announcement's arrival: each look reads what follows the last change that was
told, by the numbers that changes get under their board's lock.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from wxc.auth import service as auth_service
from wxc.auth.context import Auth, Principal
from wxc.core import clock
from wxc.core.database import AnyRow, Database
from wxc.core.events import Events
from wxc.core.streams import Reset, SessionEnd, looks
from wxc.exchange.chain import GENESIS
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.freshness import state_of
from wxc.exchange.repository import ExchangeReader
from wxc.exchange.schemas import Confirmation, Exchange, RateChange
from wxc.exchange.service import find_exchange, is_hidden, present_change, topic_of

_REMEMBERED = timedelta(hours=24)
_MOST_AT_ONCE = 500
_MOST_REPLAYED = 1000
_HEAD = re.compile(r"([0-9]{1,9}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """Up to which change a board's history is known, in the notation of `wxc verify-rates`."""

    seq: int
    hash: bytes

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The head that a client names; None for what is none."""
        found = _HEAD.fullmatch(text)
        return cls(int(found[1]), bytes.fromhex(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


_BEGINNING = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Watched:
    """A board that may be watched, as it stands, and the last change it certainly holds."""

    username: str
    viewer: Principal | None
    exchange: Exchange
    head: Head
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What is told; the stream may be resumed at `head`."""

    head: Head
    content: Exchange | RateChange | Confirmation


StreamEvent = Event | Reset | SessionEnd


async def open_board(database: Database, username: str, viewer: Principal | None) -> Watched:
    """That member's board, as the writer has it; raises as `find_exchange` does."""
    viewer_id = viewer.id if viewer else None
    async with database.guarding() as reader:
        # The head first: a change in between is told once more, and none is passed over.
        row = await ExchangeReader(reader).head(username, viewer_id)
        found = await find_exchange(reader, username, viewer_id, None)
    if row is None or row.id != found.body.id:
        raise ExchangeNotFound  # it was opened between the two statements
    return Watched(username, viewer, found.body, _head(row), row.confirmed_now)


async def follow(
    database: Database, events: Events, auth: Auth, board: Watched, last_event_id: str | None
) -> AsyncIterator[StreamEvent]:
    """The board, then what was missed since `last_event_id`, then its changes as they come.

    Ends when the board can no longer be seen by whoever watches. No connection is held between
    two looks.
    """
    resumed = await _resumed_at(database, board, last_event_id) if last_event_id else None
    tail = _Tail(database, board, resumed or board.head)
    yield Event(tail.head, board.exchange)
    if last_event_id and resumed is None:
        yield Reset()
    topics = [topic_of(board.exchange.id)]
    if board.viewer is not None:
        topics.append(auth.revocations.topic_of(board.viewer.session_id))
    async with aclosing(looks(events, topics)) as times:
        async for _ in times:
            if board.viewer and not await auth_service.is_live(database, board.viewer.session_id):
                yield SessionEnd()
                return
            for event in await tail.read():
                yield event
            if tail.has_ended:
                return


async def _resumed_at(database: Database, board: Watched, last_event_id: str) -> Head | None:
    """The head that a client knows; None when it is none of this board's, or what followed is
    too much or too long ago to be told.
    """
    known = Head.read(last_event_id)
    if known is None:
        return None
    async with database.guarding() as reader:
        rows = await ExchangeReader(reader).changes(
            board.exchange.id, known.seq, _MOST_REPLAYED + 2
        )
    if known != _BEGINNING:
        if not rows or _head(rows[0]) != known:
            return None
        rows = rows[1:]
    if len(rows) > _MOST_REPLAYED or (rows and clock.now() - rows[0].at > _REMEMBERED):
        return None
    return known


class _Tail:
    """Reads what follows the last change that has been told."""

    def __init__(self, database: Database, board: Watched, head: Head) -> None:
        self._database = database
        self._board = board
        self._confirmed_at = board.confirmed_at
        self.head = head
        self.has_ended = False

    async def read(self) -> list[Event]:
        """The changes that are new, one after the other, or that the board was confirmed."""
        viewer_id = self._board.viewer.id if self._board.viewer else None
        async with self._database.guarding() as reader:
            exchanges = ExchangeReader(reader)
            row = await exchanges.head(self._board.username, viewer_id)
            if row is None or row.id != self._board.exchange.id or is_hidden(row, viewer_id):
                self.has_ended = True
                return []
            changes: list[AnyRow] = []
            while self.head.seq < (row.seq or 0):
                found = await exchanges.changes(row.id, self.head.seq + 1, _MOST_AT_ONCE)
                if not found:  # deleted a moment ago
                    self.has_ended = True
                    break
                changes += found
                self.head = _head(found[-1])
        return self._told(row, changes)

    def _told(self, row: AnyRow, changes: Sequence[AnyRow]) -> list[Event]:
        told = [Event(_head(one), present_change(one)) for one in changes]
        if row.confirmed_now > max([self._confirmed_at, *(one.at for one in changes)]):
            told.append(Event(self.head, _confirmation(row)))
        self._confirmed_at = max(self._confirmed_at, row.confirmed_now)
        return told


def _head(row: AnyRow) -> Head:
    return Head(row.seq, row.hash) if row.seq else _BEGINNING


def _confirmation(row: AnyRow) -> Confirmation:
    return Confirmation(
        confirmed_at=row.confirmed_now,
        valid_for_hours=row.valid_now,
        state=state_of(row.confirmed_now, row.valid_now, clock.now()),
    )

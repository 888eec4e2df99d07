"""The stream of a board: a snapshot, then its changes.

No change is lost if a wakeup is: each check reads all events after the last one sent, by `seq`,
which is assigned under the lock of the board.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.service.sessions import is_live
from wxc.core import clock
from wxc.core.events import Events
from wxc.core.times import rfc3339
from wxc.db.database import Database
from wxc.exchange.boards.errors import ExchangeNotFound
from wxc.exchange.boards.repository.rate_events import RateEventRow
from wxc.exchange.boards.schemas.exchange import Exchange
from wxc.exchange.boards.service.reading import find_exchange
from wxc.exchange.boards.service.writing import topic_of
from wxc.exchange.domain.chain import CHAIN_START, ChainPosition
from wxc.exchange.domain.freshness import is_expired, state_at
from wxc.exchange.history.schemas import RateChange
from wxc.exchange.history.service.reading import present_change
from wxc.exchange.stream.repository import BoardHead, board_head, rate_events_from
from wxc.exchange.stream.schemas import Confirmation
from wxc.http.streams import Reset, SessionEnd, wakeups

_REPLAY_RETENTION = timedelta(hours=24)
_MAX_REPLAYED = 1000
_BATCH_SIZE = 500


@dataclass(frozen=True, slots=True)
class WatchedBoard:
    """A board that the viewer may watch; `position` is the last event that `exchange` includes."""

    id: UUID
    username: str
    viewer: Principal | None
    exchange: Exchange
    position: ChainPosition
    confirmed_at: datetime

    @property
    def viewer_id(self) -> UUID | None:
        return self.viewer.id if self.viewer else None


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """An event of the stream; a client can resume at `position`."""

    position: ChainPosition
    name: Literal["snapshot", "rates", "confirmed"]
    content: Exchange | RateChange | Confirmation


StreamEvent = BoardEvent | Reset | SessionEnd


async def open_board(database: Database, username: str, viewer: Principal | None) -> WatchedBoard:
    """Reads the primary; raises as `find_exchange` does."""
    viewer_id = viewer.id if viewer else None
    # The head first: a change between the two queries is then sent twice rather than missed.
    head = await database.primary.fetch_one(board_head(username, viewer_id))
    exchange = await find_exchange(database.primary, username, viewer_id, None)
    if head is None or str(head.id) != exchange.body["id"]:
        raise ExchangeNotFound  # the board was created between the two queries
    position, confirmed_at = _position(head), head.current_confirmed_at
    return WatchedBoard(head.id, username, viewer, exchange.body, position, confirmed_at)


async def board_events(
    database: Database, events: Events, auth: Auth, board: WatchedBoard, last_event_id: str | None
) -> AsyncIterator[StreamEvent]:
    """The snapshot, then the changes missed since `last_event_id`, then live changes.

    `Reset` precedes the snapshot if the missed changes are not known. Ends when the viewer can no
    longer see the board. Holds no connection between two checks.
    """
    resumed = await _resume_position(database, board, last_event_id) if last_event_id else None
    if last_event_id and resumed is None:
        yield Reset()
    reader = _ChangeReader(database, board, resumed or board.position)
    yield BoardEvent(reader.position, "snapshot", board.exchange)
    topics = [topic_of(board.id)]
    if board.viewer is not None:
        topics.append(auth.revocations.topic_of(board.viewer.session_id))
    async with aclosing(wakeups(events, topics)) as checks:
        async for _ in checks:
            if board.viewer and not await is_live(database, board.viewer.session_id):
                yield SessionEnd()
                return
            for event in await reader.read():
                yield event
            if reader.has_ended:
                return


async def _resume_position(
    database: Database, board: WatchedBoard, last_event_id: str
) -> ChainPosition | None:
    """The position to resume at.

    None if it is not on this chain, or if the changes since are too many or too old.
    """
    position = ChainPosition.parse(last_event_id)
    if position is None:
        return None
    # The last event that the client knows, and one more than may be replayed.
    query = rate_events_from(board.id, position.seq, limit=_MAX_REPLAYED + 2)
    missed = await database.primary.fetch(query)
    if position != CHAIN_START:
        if not missed or _position(missed[0]) != position:
            return None
        missed = missed[1:]
    if len(missed) > _MAX_REPLAYED:
        return None
    if missed and clock.now() - missed[0].at > _REPLAY_RETENTION:
        return None
    return position


class _ChangeReader:
    """Reads the events after the last one sent."""

    def __init__(self, database: Database, board: WatchedBoard, position: ChainPosition) -> None:
        self._database = database
        self._board = board
        self._confirmed_at = board.confirmed_at
        self.position = position
        self.has_ended = False

    async def read(self) -> list[BoardEvent]:
        """The new changes in order, then a confirmation if it is later than they are."""
        viewer_id = self._board.viewer_id
        primary = self._database.primary
        head = await primary.fetch_one(board_head(self._board.username, viewer_id))
        if head is None or head.id != self._board.id or _is_hidden(head, viewer_id):
            self.has_ended = True
            return []
        changes: list[RateEventRow] = []
        while self.position.seq < (head.seq or 0):
            query = rate_events_from(head.id, self.position.seq + 1, limit=_BATCH_SIZE)
            batch = await primary.fetch(query)
            if not batch:  # the board has just been deleted
                self.has_ended = True
                break
            changes += batch
            self.position = _position(batch[-1])
        return self._events(head, changes)

    def _events(self, head: BoardHead, changes: Sequence[RateEventRow]) -> list[BoardEvent]:
        events = [
            BoardEvent(_position(change), "rates", present_change(change)) for change in changes
        ]
        known_confirmation = max([self._confirmed_at, *(change.at for change in changes)])
        if head.current_confirmed_at > known_confirmation:
            events.append(BoardEvent(self.position, "confirmed", _confirmation(head)))
        self._confirmed_at = max(self._confirmed_at, head.current_confirmed_at)
        return events


def _position(row: BoardHead | RateEventRow) -> ChainPosition:
    return CHAIN_START if row.seq is None or row.hash is None else ChainPosition(row.seq, row.hash)


def _is_hidden(head: BoardHead, viewer_id: UUID | None) -> bool:
    return head.owner_id != viewer_id and is_expired(
        head.current_confirmed_at, head.current_valid_for_hours, clock.now()
    )


def _confirmation(head: BoardHead) -> Confirmation:
    confirmed_at, valid_for_hours = head.current_confirmed_at, head.current_valid_for_hours
    return {
        "confirmed_at": rfc3339(confirmed_at),
        "valid_for_hours": valid_for_hours,
        "state": state_at(confirmed_at, valid_for_hours, clock.now()),
    }

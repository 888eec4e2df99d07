"""Verifying the history of all boards: is every link of its chains as it was made?"""

from dataclasses import dataclass, field
from uuid import UUID

from wxc.db.database import Database
from wxc.exchange.domain.chain import GENESIS, Event, link
from wxc.exchange.repository.history import RateEventRow
from wxc.exchange.repository.verification import (
    boards_after,
    events_after,
    events_with_hash,
    mismatched_lines,
)

_BATCH = 1000
_BOARDS = 100


@dataclass(slots=True)
class Verification:
    """What was read, and a sentence for each thing that is wrong."""

    boards: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)


async def verify_rates(database: Database, head: tuple[int, bytes] | None) -> Verification:
    """Compute every chain anew, and compare the boards with their last events.

    `head`, the number and hash of an event that somebody has kept, must still be there: only
    that shows that the end of a chain was cut off.
    """
    found = Verification()
    chain = _Chain(found)
    rows = await _batch(database, chain)
    while rows:
        for row in rows:
            chain.follow(row)
        rows = await _batch(database, chain)
    await _compare_boards(database, found)
    if head is not None and not await database.primary.fetch(events_with_hash(*head)):
        found.faults.append(f"no board has event {head[0]} with the hash {head[1].hex()}")
    return found


async def _batch(database: Database, chain: "_Chain") -> list[RateEventRow]:
    return await database.primary.fetch(events_after(chain.board_id, chain.seq, limit=_BATCH))


async def _compare_boards(database: Database, found: Verification) -> None:
    """Name the lines that are not what the last change left, some boards at a time."""
    last = UUID(int=0)
    while True:
        boards = await database.primary.fetch(boards_after(last, limit=_BOARDS))
        if not boards:
            return
        ids = [board.id for board in boards]
        for row in await database.primary.fetch(mismatched_lines(ids)):
            found.faults.append(f"board {row.id} shows another line of {row.currency}")
        last = ids[-1]


class _Chain:
    """Follows the events, board after board."""

    def __init__(self, found: Verification) -> None:
        self._found = found
        self._hash = GENESIS
        self.board_id = UUID(int=0)
        self.seq = 0

    def follow(self, row: RateEventRow) -> None:
        """Look at the next event; after a fault, go on from what is stored."""
        if row.exchange_id != self.board_id:
            self.board_id, self.seq, self._hash = row.exchange_id, 0, GENESIS
            self._found.boards += 1
        if row.seq != self.seq + 1:
            self._found.faults.append(f"board {self.board_id} has no event {self.seq + 1}")
        elif link(self._hash, Event(*row[1:-1])) != row.hash:  # all but its id and hash
            self._found.faults.append(f"event {row.seq} of board {self.board_id} was changed")
        self.seq, self._hash = row.seq, row.hash
        self._found.events += 1

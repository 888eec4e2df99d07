from dataclasses import dataclass, field
from uuid import UUID

from wxc.db.database import Database
from wxc.exchange.boards.repository.rate_events import RateEventRow
from wxc.exchange.domain.chain import GENESIS_HASH, ChainEvent, event_hash
from wxc.exchange.history.repository.verification import (
    boards_after,
    events_after,
    events_with_hash,
    mismatched_lines,
)

_EVENT_BATCH_SIZE = 1000
_BOARD_BATCH_SIZE = 100


@dataclass(slots=True)
class Verification:
    """Totals, and one sentence per fault."""

    boards: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)


async def verify_rates(database: Database, head: tuple[int, bytes] | None) -> Verification:
    """Recompute every chain, and compare the rate lines of boards with their last events.

    `head` is the number and hash of an event that an operator recorded earlier. It must still
    exist: no other check detects that the end of a chain was removed.
    """
    verification = Verification()
    chain = _ChainVerifier(verification)
    rows = await _next_events(database, chain)
    while rows:
        for row in rows:
            chain.verify(row)
        rows = await _next_events(database, chain)
    await _compare_lines(database, verification)
    if head is not None and not await database.primary.fetch(events_with_hash(*head)):
        fault = f"no board has an event {head[0]} with hash {head[1].hex()}"
        verification.faults.append(fault)
    return verification


async def _next_events(database: Database, chain: "_ChainVerifier") -> list[RateEventRow]:
    query = events_after(chain.board_id, chain.seq, limit=_EVENT_BATCH_SIZE)
    return await database.primary.fetch(query)


async def _compare_lines(database: Database, verification: Verification) -> None:
    last_id = UUID(int=0)
    while True:
        boards = await database.primary.fetch(boards_after(last_id, limit=_BOARD_BATCH_SIZE))
        if not boards:
            return
        ids = [board.id for board in boards]
        for row in await database.primary.fetch(mismatched_lines(ids)):
            fault = f"the {row.currency} rate of board {row.id} differs from its last event"
            verification.faults.append(fault)
        last_id = ids[-1]


class _ChainVerifier:
    """Verifies events in order of board and `seq`."""

    def __init__(self, verification: Verification) -> None:
        self._verification = verification
        self._hash = GENESIS_HASH
        self.board_id = UUID(int=0)
        self.seq = 0

    def verify(self, row: RateEventRow) -> None:
        """Verify the next event; after a fault, continue from the stored event."""
        faults = self._verification.faults
        if row.exchange_id != self.board_id:
            self.board_id, self.seq, self._hash = row.exchange_id, 0, GENESIS_HASH
            self._verification.boards += 1
        event = ChainEvent(*row[1:-1])  # without the id and the hash
        if row.seq != self.seq + 1:
            faults.append(f"board {self.board_id} has no event {self.seq + 1}")
        elif event_hash(self._hash, event) != row.hash:
            faults.append(f"event {row.seq} of board {self.board_id} was changed")
        self.seq, self._hash = row.seq, row.hash
        self._verification.events += 1

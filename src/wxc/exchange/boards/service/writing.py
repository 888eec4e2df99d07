"""Each change of a board shares one transaction with its history."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.accounts.auth.errors import SessionExpired
from wxc.core import clock
from wxc.core.decimals import decimal_text
from wxc.core.events import announce
from wxc.core.ids import new_id
from wxc.db.commits import next_id
from wxc.db.session import Session
from wxc.exchange.boards.errors import ExchangeNotFound
from wxc.exchange.boards.repository import lines, rate_events, writing
from wxc.exchange.boards.repository.lines import RateLineRow
from wxc.exchange.boards.repository.rate_events import RateEventRow
from wxc.exchange.boards.repository.writing import BoardFields, LockedBoard
from wxc.exchange.boards.schemas.board import Board
from wxc.exchange.boards.schemas.exchange import Exchange
from wxc.exchange.boards.service.reading import own_exchange
from wxc.exchange.domain.chain import GENESIS_HASH, ChainEvent, event_hash
from wxc.exchange.domain.freshness import reminder_time
from wxc.http.etags import Versioned, Versions, listed
from wxc.http.refusals.resources import PreconditionFailed

_MICROSECOND = timedelta(microseconds=1)
_LINE_RETENTION = timedelta(hours=1)  # later pages of a search still read closed lines


async def replace_board(
    session: Session, me: Principal, board: Board, versions: Versions
) -> tuple[Versioned[Exchange], bool]:
    """Create or replace the board of `me`; True if it was created.

    The same board again is only confirmed, whatever its version: the client may have missed the
    answer. Raises `PreconditionFailed`, `SessionExpired`.
    """
    row = await session.fetch_one(writing.lock_board(me.id))
    is_new = row is None and versions is None and await _insert_board(session, me, board)
    row = row or await session.fetch_one(writing.lock_board(me.id))
    if row is None:
        raise PreconditionFailed
    current = {line.currency: line for line in await session.fetch(lines.current_lines(row.id))}
    changes, fields, expected = _changes(board, current), _fields(board), listed(versions)
    if not is_new and not changes and row.fields == fields:
        return await _confirm(session, me, row), is_new
    if expected is not None and row.version not in expected:
        raise PreconditionFailed
    moment = clock.now() if is_new else _next_moment(row)
    remind_at = reminder_time(moment, fields.valid_for_hours)
    await session.fetch(writing.update_board(me.id, *fields, moment, remind_at))
    if changes:
        closed = [line.currency for line in changes if line.currency in current]
        await _write_changes(session, row.id, changes, closed, moment)
    return await _confirmed(session, me, row.id, fields, moment), is_new


async def confirm_board(session: Session, me: Principal) -> Versioned[Exchange]:
    """Raises `ExchangeNotFound`."""
    row = await session.fetch_one(writing.lock_board(me.id))
    if row is None:
        raise ExchangeNotFound
    return await _confirm(session, me, row)


async def delete_board(session: Session, me: Principal) -> None:
    """Raises `ExchangeNotFound`."""
    deleted = await session.fetch_one(writing.delete_board(me.id))
    if deleted is None:
        raise ExchangeNotFound
    await session.fetch(writing.update_has_exchange(me.id, has_exchange=False))
    announce(session, topic_of(deleted.id))


def topic_of(exchange_id: UUID) -> str:
    return f"exchange:{exchange_id}"


async def _insert_board(session: Session, me: Principal, board: Board) -> bool:
    """False if a concurrent request has inserted one. Raises `SessionExpired`."""
    owner = await session.fetch_one(writing.update_has_exchange(me.id, has_exchange=True))
    if owner is None:
        raise SessionExpired
    inserted = await session.fetch_one(
        writing.insert_board(
            new_id(),
            me.id,
            board.name,
            board.base_currency,
            board.valid_for_hours,
            board.opening_hours,
            clock.now(),
        )
    )
    return inserted is not None


async def _confirm(session: Session, me: Principal, row: LockedBoard) -> Versioned[Exchange]:
    moment = _next_moment(row)
    remind_at = reminder_time(moment, row.valid_for_hours)
    await session.fetch(writing.confirm_board(me.id, moment, remind_at))
    return await _confirmed(session, me, row.id, row.fields, moment)


async def _confirmed(
    session: Session, me: Principal, exchange_id: UUID, fields: BoardFields, moment: datetime
) -> Versioned[Exchange]:
    """Record the confirmation of a board that has just been written."""
    terms = fields.base_currency, fields.valid_for_hours
    await session.fetch(writing.insert_confirmation(new_id(), exchange_id, moment, *terms))
    announce(session, topic_of(exchange_id))
    return await own_exchange(session, me)


def _fields(board: Board) -> BoardFields:
    location = board.location
    return BoardFields(
        board.name,
        board.base_currency,
        board.description,
        board.address,
        location["lat"] if location else None,
        location["lon"] if location else None,
        board.time_zone,
        board.opening_hours,
        board.valid_for_hours,
    )


def _next_moment(row: LockedBoard) -> datetime:
    """Now, or just after the last confirmation if another instance's clock is ahead."""
    return max(clock.now(), row.confirmed_at + _MICROSECOND)


def _changes(board: Board, current: Mapping[str, RateLineRow]) -> list[RateLineRow]:
    """The lines that are new or differ, and without rates those that are removed."""
    requested = {
        rate.currency: RateLineRow(**dict(rate), base_currency=board.base_currency)
        for rate in board.rates
    }
    changed = [line for code, line in requested.items() if not _is_same(line, current.get(code))]
    removed = [_without_rates(line) for code, line in current.items() if code not in requested]
    return [*changed, *removed]


async def _write_changes(
    session: Session,
    exchange_id: UUID,
    changes: Sequence[RateLineRow],
    closed: Sequence[str],
    moment: datetime,
) -> None:
    """Write the changed lines and an event for each; `closed` are the currencies of old lines."""
    await _append_events(session, exchange_id, changes, moment)
    await session.fetch(lines.delete_closed_lines(exchange_id, moment - _LINE_RETENTION))
    await session.fetch(lines.close_lines(exchange_id, closed, moment))
    if offered := [line for line in changes if line.we_buy or line.we_sell]:
        await lines.insert_lines(session, exchange_id, offered, moment)


async def _append_events(
    session: Session, exchange_id: UUID, changes: Sequence[RateLineRow], moment: datetime
) -> None:
    """Extend the hash chain. Ids rise with `seq`, even if instances generate them out of order."""
    last = await session.fetch_one(rate_events.last_rate_event(exchange_id))
    seq, previous, last_id = (last.seq, last.hash, last.id.int) if last else (0, GENESIS_HASH, 0)
    events = []
    for line in changes:
        seq += 1
        event = ChainEvent(exchange_id=exchange_id, seq=seq, at=moment, **line._asdict())
        previous = event_hash(previous, event)
        last_id = max(next_id(session).int, last_id + 1)
        events.append(
            RateEventRow(
                id=UUID(int=last_id),
                exchange_id=exchange_id,
                seq=seq,
                at=moment,
                hash=previous,
                **line._asdict(),
            )
        )
    await rate_events.insert_rate_events(session, events)


def _without_rates(line: RateLineRow) -> RateLineRow:
    return line._replace(we_buy=None, we_sell=None, min_amount=None, max_amount=None)


def _is_same(line: RateLineRow, current: RateLineRow | None) -> bool:
    """Compares the digits as entered: `0.80` differs from `0.8`."""
    return current is not None and _digits(line) == _digits(current)


def _digits(line: RateLineRow) -> list[str | int | None]:
    return [decimal_text(value) if isinstance(value, Decimal) else value for value in line]

"""Changing a board: every change is an event of its history, in one transaction."""

from collections.abc import Sequence
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
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.exchange.domain.chain import GENESIS, Event, link
from wxc.exchange.domain.freshness import reminder_due
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.repository import changes, lines
from wxc.exchange.repository.changes import LockedBoard
from wxc.exchange.repository.history import RateEventRow
from wxc.exchange.repository.lines import LineRow
from wxc.exchange.schemas.boards import Board
from wxc.exchange.schemas.exchanges import Exchange
from wxc.exchange.service.reading import own_board
from wxc.http.etags import Versioned, Versions
from wxc.http.refusals.resources import PreconditionFailed
from wxc.models import NotificationType
from wxc.social.notifications.repository.writing import NotificationDraft
from wxc.social.notifications.service import notify

_MAX_REMINDED = 100
_TICK = timedelta(microseconds=1)
_LINE_RETENTION = timedelta(hours=1)  # for searches that go on by what closed lines showed


async def replace_board(
    session: Session, me: Principal, board: Board, versions: Versions
) -> tuple[Versioned[Exchange], bool]:
    """Replace the board of `me`; True if there was none before.

    Raises `PreconditionFailed`.
    """
    row = await session.fetch_one(changes.lock_board(me.id))
    is_new = row is None and versions is None and await _open(session, me, board)
    row = row or await session.fetch_one(changes.lock_board(me.id))
    if row is None or (versions is not None and row.version not in versions):
        raise PreconditionFailed
    moment = clock.now() if is_new else _later(row)
    await _replace(session, row.id, board, moment)
    await _replace_lines(session, row.id, board, moment)
    await session.fetch(
        changes.insert_confirmation(
            new_id(), row.id, moment, board.base_currency, board.valid_for_hours
        )
    )
    announce(session, topic_of(row.id))
    return await own_board(session, me), is_new


async def confirm_board(session: Session, me: Principal) -> Versioned[Exchange]:
    """Confirm the whole board from now on; raises `ExchangeNotFound`."""
    row = await session.fetch_one(changes.lock_board(me.id))
    if row is None:
        raise ExchangeNotFound
    moment, valid_for = _later(row), row.valid_for_hours
    await session.fetch(changes.confirm_board(row.id, moment, reminder_due(moment, valid_for)))
    await session.fetch(
        changes.insert_confirmation(new_id(), row.id, moment, row.base_currency, valid_for)
    )
    announce(session, topic_of(row.id))
    return await own_board(session, me)


async def remind_owners(database: Database) -> bool:
    """Notify some owners that their boards go stale, once per confirmation; False without any."""
    async with database.transaction() as session:
        due = await session.fetch(changes.claim_reminders(clock.now(), limit=_MAX_REMINDED))
        kind = NotificationType.EXCHANGE_EXPIRING
        await notify(
            session, *(NotificationDraft(row.owner_id, kind, None, new_id()) for row in due)
        )
    return bool(due)


async def delete_board(session: Session, me: Principal) -> None:
    """Delete the board and its history; raises `ExchangeNotFound`."""
    removed = await session.fetch_one(changes.delete_board(me.id))
    if removed is None:
        raise ExchangeNotFound
    await session.fetch(changes.update_has_exchange(me.id, has_exchange=False))
    announce(session, topic_of(removed.id))


def topic_of(exchange_id: UUID) -> str:
    """The topic of a board's events."""
    return f"exchange:{exchange_id}"


async def _open(session: Session, me: Principal, board: Board) -> bool:
    """Begin the board; False when another request has begun it. Raises `SessionExpired`."""
    owner = await session.fetch_one(changes.update_has_exchange(me.id, has_exchange=True))
    if owner is None:
        raise SessionExpired
    opened = await session.fetch_one(
        changes.insert_board(
            new_id(),
            me.id,
            board.name,
            board.base_currency,
            board.valid_for_hours,
            board.opening_hours,
            clock.now(),
        )
    )
    return opened is not None


async def _replace(session: Session, exchange_id: UUID, board: Board, moment: datetime) -> None:
    place = board.location
    await session.fetch(
        changes.update_board(
            exchange_id,
            board.name,
            board.base_currency,
            board.description,
            board.address,
            place["lat"] if place else None,
            place["lon"] if place else None,
            board.time_zone,
            board.opening_hours,
            board.valid_for_hours,
            moment,
            reminder_due(moment, board.valid_for_hours),
        )
    )


def _later(row: LockedBoard) -> datetime:
    """Now, or just after the last change where the clock of another instance is ahead."""
    return max(clock.now(), row.confirmed_at + _TICK)


async def _replace_lines(
    session: Session, exchange_id: UUID, board: Board, moment: datetime
) -> None:
    """Write a change for each line that differs, and those lines; the others stay as they are."""
    shown = {row.currency: row for row in await session.fetch(lines.lines_of(exchange_id))}
    wanted = {
        rate.currency: LineRow(**dict(rate), base_currency=board.base_currency)
        for rate in board.rates
    }
    fresh = [line for code, line in wanted.items() if not _is_same(line, shown.get(code))]
    removed = [_without_rates(line) for code, line in shown.items() if code not in wanted]
    if not fresh and not removed:
        return
    await _append(session, exchange_id, [*fresh, *removed], moment)
    closed = [line.currency for line in (*fresh, *removed) if line.currency in shown]
    await session.fetch(lines.delete_closed_lines(exchange_id, moment - _LINE_RETENTION))
    await session.fetch(lines.close_lines(exchange_id, closed, moment))
    if fresh:
        await lines.insert_lines(session, exchange_id, fresh, moment)


async def _append(
    session: Session, exchange_id: UUID, changed: Sequence[LineRow], moment: datetime
) -> None:
    """Continue the chain; the ids rise with it, whichever instance has drawn the last one."""
    last = await session.fetch_one(lines.last_event_of(exchange_id))
    seq, previous, floor = (last.seq, last.hash, last.id.int) if last else (0, GENESIS, 0)
    events = []
    for line in changed:
        seq += 1
        event = Event(exchange_id=exchange_id, seq=seq, at=moment, **line._asdict())
        previous = link(previous, event)
        floor = max(next_id(session).int, floor + 1)
        events.append(
            RateEventRow(
                id=UUID(int=floor),
                exchange_id=exchange_id,
                seq=seq,
                at=moment,
                hash=previous,
                **line._asdict(),
            )
        )
    await lines.insert_events(session, events)


def _without_rates(line: LineRow) -> LineRow:
    return line._replace(we_buy=None, we_sell=None, min_amount=None, max_amount=None)


def _is_same(line: LineRow, shown: LineRow | None) -> bool:
    """Whether the board says so already, to the digit."""
    return shown is not None and _digits(line) == _digits(shown)


def _digits(line: LineRow) -> list[str | int | None]:
    return [decimal_text(value) if isinstance(value, Decimal) else value for value in line]

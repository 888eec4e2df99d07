"""Changing a board: every change is an event of its history, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Principal
from wxc.auth.errors import SessionExpired
from wxc.core import clock
from wxc.core.database import AnyRow, Database, draw_id
from wxc.core.decimals import plain
from wxc.core.errors import PreconditionFailed
from wxc.core.etags import Versioned, Versions
from wxc.core.events import announce
from wxc.core.ids import new_id
from wxc.exchange.chain import GENESIS, Event, link
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.freshness import reminder_due
from wxc.exchange.repository import LINE, ExchangeRepository, point
from wxc.exchange.schemas import Board, Exchange
from wxc.exchange.service.reading import own_board
from wxc.models import NotificationType
from wxc.notifications.repository.writing import NotificationDraft
from wxc.notifications.service import notify

_MOST_REMINDED = 100
_TICK = timedelta(microseconds=1)
_NOTHING: dict[str, Any] = dict.fromkeys(("we_buy", "we_sell", "min_amount", "max_amount"))


async def replace_board(
    session: AsyncSession, me: Principal, board: Board, versions: Versions
) -> tuple[Versioned[Exchange], bool]:
    """Put `board` in place of what there was, and whether there was nothing.

    Raises `PreconditionFailed`.
    """
    exchanges = ExchangeRepository(session)
    values = _values(board)
    row = await exchanges.lock(me.id)
    is_new = row is None and versions is None and await _open(exchanges, me, values)
    row = row or await exchanges.lock(me.id)
    if row is None or (versions is not None and row.version not in versions):
        raise PreconditionFailed
    moment = clock.now() if is_new else _later(row)
    terms = _confirmed(moment, board.valid_for_hours)
    await exchanges.replace(row.id, {**values, **terms, "updated_at": moment})
    await _replace_lines(exchanges, row.id, board, moment)
    await exchanges.note_confirmation(
        row.id,
        moment,
        base_currency=board.base_currency,
        valid_for_hours=board.valid_for_hours,
    )
    announce(session, topic_of(row.id))
    return await own_board(session, me), is_new


async def confirm_board(session: AsyncSession, me: Principal) -> Versioned[Exchange]:
    """Have all of the board hold from now on; raises `ExchangeNotFound`."""
    exchanges = ExchangeRepository(session)
    row = await exchanges.lock(me.id)
    if row is None:
        raise ExchangeNotFound
    moment = _later(row)
    await exchanges.confirm(row.id, _confirmed(moment, row.valid_for_hours))
    await exchanges.note_confirmation(
        row.id, moment, base_currency=row.base_currency, valid_for_hours=row.valid_for_hours
    )
    announce(session, topic_of(row.id))
    return await own_board(session, me)


async def remind_owners(database: Database) -> bool:
    """Tell some owners that their boards go stale, once per confirmation; False without any."""
    async with database.transaction() as session:
        owners = await ExchangeRepository(session).claim_reminders(clock.now(), _MOST_REMINDED)
        kind = NotificationType.EXCHANGE_EXPIRING
        await notify(session, *(NotificationDraft(owner, kind, None, new_id()) for owner in owners))
    return bool(owners)


async def delete_board(session: AsyncSession, me: Principal) -> None:
    """Delete the board and its history; raises `ExchangeNotFound`."""
    removed = await ExchangeRepository(session).remove(me.id)
    if removed is None:
        raise ExchangeNotFound
    announce(session, topic_of(removed))


def topic_of(exchange_id: UUID) -> str:
    """What those who watch the board wait for."""
    return f"exchange:{exchange_id}"


async def _open(exchanges: ExchangeRepository, me: Principal, values: Mapping[str, Any]) -> bool:
    """Begin the board; False when it has begun meanwhile. Raises `SessionExpired`."""
    moment = clock.now()
    begun = await exchanges.open(me.id, {**values, "confirmed_at": moment, "updated_at": moment})
    if begun is None:
        raise SessionExpired
    return begun


def _confirmed(moment: datetime, valid_for_hours: int) -> dict[str, Any]:
    return {"confirmed_at": moment, "remind_at": reminder_due(moment, valid_for_hours)}


def _later(row: AnyRow) -> datetime:
    """Now, or just after the last change where the clock of another instance is ahead."""
    earliest: datetime = row.confirmed_at + _TICK
    return max(clock.now(), earliest)


def _values(board: Board) -> dict[str, Any]:
    values = board.model_dump(mode="json", exclude={"rates", "location"})
    place = board.location
    return values | {"location": point(place.lat, place.lon) if place else None}


async def _replace_lines(
    exchanges: ExchangeRepository, exchange_id: UUID, board: Board, moment: datetime
) -> None:
    """Write a change for each line that differs, and those lines; the others stay as they are."""
    base = {"base_currency": board.base_currency}
    shown = {row.currency: dict(row._mapping) for row in await exchanges.lines(exchange_id)}
    wanted = {rate.currency: rate.model_dump() | base for rate in board.rates}
    fresh = [line for code, line in wanted.items() if not _same(line, shown.get(code))]
    removed = [line | _NOTHING for code, line in shown.items() if code not in wanted]
    if not fresh and not removed:
        return
    await _append(exchanges, exchange_id, [*fresh, *removed], moment)
    gone = [line["currency"] for line in (*fresh, *removed) if line["currency"] in shown]
    await exchanges.replace_lines(exchange_id, gone, fresh, moment)


async def _append(
    exchanges: ExchangeRepository,
    exchange_id: UUID,
    lines: Sequence[Mapping[str, Any]],
    moment: datetime,
) -> None:
    """Continue the chain; the ids rise with it, whichever instance has drawn the last one."""
    last = await exchanges.last_event(exchange_id)
    seq, previous, floor = (last.seq, last.hash, last.id.int) if last else (0, GENESIS, 0)
    rows = []
    for line in lines:
        seq += 1
        event = Event(exchange_id=exchange_id, seq=seq, at=moment, **line)
        previous = link(previous, event)
        floor = max(draw_id(exchanges.session).int, floor + 1)
        rows.append(asdict(event) | {"id": UUID(int=floor), "hash": previous})
    await exchanges.add_events(rows)


def _same(line: Mapping[str, Any], shown: Mapping[str, Any] | None) -> bool:
    """Whether the board says so already, to the digit."""
    return shown is not None and all(
        _written(line[name]) == _written(shown[name]) for name in (*LINE, "base_currency")
    )


def _written(value: Any) -> str | None:  # noqa: ANN401 - a text, a whole number or a decimal
    return None if value is None else value if isinstance(value, str) else plain(value)

"""Looking at boards and at their history."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from wxc.auth.context import Principal
from wxc.core import clock
from wxc.core.currencies import currencies
from wxc.core.database import AnyRow, Database, Reader
from wxc.core.etags import Versioned
from wxc.core.times import rfc3339
from wxc.db.keyset import PageRequest
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.freshness import State, state_of
from wxc.exchange.history import Group, Span
from wxc.exchange.hours import hours_of, is_open
from wxc.exchange.repository import LINE, ExchangeReader
from wxc.exchange.schemas import (
    Candle,
    CurrencyPage,
    CurrencySummary,
    Exchange,
    RateBucket,
    RateChange,
    RateEvent,
    RateHistoryPage,
)
from wxc.users.errors import UserNotFound
from wxc.users.service import summary_values

_EVENT = ("seq", "at", "base_currency", *(name for name in LINE if name != "currency"))


def list_currencies() -> CurrencyPage:
    """Every circulating currency."""
    return CurrencyPage(
        items=[CurrencySummary(**asdict(one)) for one in currencies().values()],
        next_cursor=None,
        prev_cursor=None,
    )


async def find_exchange(
    reader: Reader, username: str, viewer_id: UUID | None, as_of: datetime | None
) -> Versioned[Exchange]:
    """That member's board; raises `UserNotFound`, or `ExchangeNotFound` also for an expired one."""
    row = shown(await ExchangeReader(reader).of(username, viewer_id, as_of), viewer_id)
    return Versioned(present(row, as_of or clock.now()), row.version)


async def find_own(database: Database, me: Principal) -> Versioned[Exchange]:
    """The board of `me` in whatever state, as the writer has it; raises `ExchangeNotFound`."""
    async with database.guarding() as reader:
        return await own_board(reader, me)


async def own_board(reader: Reader, me: Principal) -> Versioned[Exchange]:
    """The board of `me` by any reader; raises `ExchangeNotFound`."""
    row = await ExchangeReader(reader).own(me.id)
    if row is None or row.id is None:
        raise ExchangeNotFound
    return Versioned(present(row, clock.now()), row.version)


async def list_history(
    reader: Reader, username: str, viewer_id: UUID | None, span: Span, page: PageRequest
) -> RateHistoryPage:
    """How a currency's line has changed, newest first; raises as `find_exchange` does."""
    row = shown(await ExchangeReader(reader).of(username, viewer_id, None), viewer_id)
    changes = await ExchangeReader(reader).history(row.id, span, page)
    cut = page.cut(changes, key=lambda row: row.id)
    show = _event if span.group is Group.EVENT else _bucket
    return RateHistoryPage(
        items=[show(row) for row in cut.rows],
        next_cursor=cut.next_cursor,
        prev_cursor=cut.prev_cursor,
    )


def shown(row: AnyRow | None, viewer_id: UUID | None) -> AnyRow:
    """As `found`; raises `ExchangeNotFound` also for others' boards that expired."""
    board = found(row)
    if is_hidden(board, viewer_id):
        raise ExchangeNotFound
    return board


def found(row: AnyRow | None) -> AnyRow:
    """The row of a board; raises `UserNotFound`, or `ExchangeNotFound` where none is or was."""
    if row is None:
        raise UserNotFound
    if row.id is None or row.confirmed_at is None:
        raise ExchangeNotFound
    return row


def is_hidden(row: AnyRow, viewer_id: UUID | None) -> bool:
    """Whether the board has expired: a question of today, whatever moment is asked for."""
    state = state_of(row.confirmed_now, row.valid_now, clock.now())
    return state is State.EXPIRED and row.owner_id != viewer_id


def present(row: AnyRow, moment: datetime) -> Exchange:
    """The board in a row of `ExchangeReader.of`, its states as they are at `moment`."""
    state = state_of(row.confirmed_at, row.valid_for_hours, moment)
    return Exchange.model_validate(values_of(row, state))


def values_of(row: AnyRow, state: State) -> dict[str, Any]:
    """What `Exchange` says, for a `Plain` page of boards."""
    return {
        "id": str(row.id),
        "owner": summary_values(row, row.owner_id),
        "name": row.name,
        "base_currency": row.base_currency,
        "description": row.description,
        "address": row.address,
        "location": None if row.lat is None else {"lat": row.lat, "lon": row.lon},
        "time_zone": row.time_zone,
        "opening_hours": [_hours(**one) for one in row.opening_hours],
        "open_now": is_open_now(row.opening_hours, row.time_zone),
        "valid_for_hours": row.valid_for_hours,
        "rates": list(_rates(row.lines or (), rfc3339(row.confirmed_at), state)),
        "updated_at": rfc3339(row.updated_at),
    }


def _hours(weekday: int, opens: str, closes: str) -> dict[str, Any]:
    """In the order of `OpeningHours`: PostgreSQL keeps keys in one of its own."""
    return {"weekday": weekday, "opens": opens, "closes": closes}


def _rates(
    lines: Sequence[Sequence[Any]], confirmed_at: str, state: State
) -> Iterator[dict[str, Any]]:
    """What `Rate` says of each line, which is as `LINE` orders it."""
    for currency, unit, we_buy, we_sell, min_amount, max_amount in lines:
        yield {
            "currency": currency,
            "unit": unit,
            "we_buy": we_buy,
            "we_sell": we_sell,
            "min_amount": min_amount,
            "max_amount": max_amount,
            "confirmed_at": confirmed_at,
            "state": state.value,
        }


def present_change(row: AnyRow) -> RateChange:
    """An event of the history as those who watch the board are told of it."""
    return RateChange(**_said(row), currency=row.currency)


def is_open_now(opening_hours: Sequence[dict[str, Any]], time_zone: str | None) -> bool | None:
    """Of hours as the row of a board has them; None without hours or time zone."""
    if not opening_hours or time_zone is None:
        return None
    return is_open([hours_of(**one) for one in opening_hours], time_zone, clock.now())


def _event(row: AnyRow) -> RateEvent:
    return RateEvent(**_said(row))


def _said(row: AnyRow) -> dict[str, Any]:
    """What an event of the history says, whichever currency it is about."""
    return {name: getattr(row, name) for name in _EVENT} | {"hash": row.hash.hex()}


def _bucket(row: AnyRow) -> RateBucket:
    return RateBucket(
        start=row.start,
        base_currency=row.base_currency,
        unit=row.unit,
        we_buy=_candle(row, "we_buy"),
        we_sell=_candle(row, "we_sell"),
    )


def _candle(row: AnyRow, side: str) -> Candle | None:
    values = {name: getattr(row, f"{side}_{name}") for name in ("open", "high", "low", "close")}
    return None if values["open"] is None else Candle(**values)

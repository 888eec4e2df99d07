"""What an amount comes to by a board."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.core.decimals import plain
from wxc.core.plain import Plain
from wxc.core.times import rfc3339
from wxc.exchange.errors import AmountTooLarge
from wxc.exchange.freshness import State, state_of
from wxc.exchange.quotes import Leg, Outcome, Rate, TooLarge, Wish, convert, not_offered
from wxc.exchange.repository import ExchangeReader
from wxc.exchange.schemas import Quote
from wxc.exchange.service.reading import found, is_hidden


async def quote(
    reader: Reader, username: str, viewer_id: UUID | None, wish: Wish, as_of: datetime | None
) -> Plain[Quote]:
    """The conversion by that member's board; raises `UserNotFound`, `ExchangeNotFound`.

    Raises `AmountTooLarge` too.
    """
    row = found(await ExchangeReader(reader).of(username, viewer_id, as_of))
    moment = as_of or clock.now()
    state = state_of(row.confirmed_at, row.valid_for_hours, moment)
    if state is State.EXPIRED or is_hidden(row, viewer_id):
        return Plain(values_of(wish, not_offered(wish), row.confirmed_at, moment, state))
    try:
        outcome = convert(row.base_currency, rates_of(row, wish), wish)
    except TooLarge:
        raise AmountTooLarge from None
    return Plain(values_of(wish, outcome, row.confirmed_at, moment, state))


def rates_of(row: AnyRow, wish: Wish) -> dict[str, Rate]:
    """Those lines of a board, as `ExchangeReader.of` has it, that the wish is about."""
    return {
        currency: Rate(currency, unit, *(number and Decimal(number) for number in numbers))
        for currency, unit, *numbers in row.lines or ()
        if currency in (wish.source, wish.target)
    }


def values_of(
    wish: Wish, outcome: Outcome, confirmed_at: datetime, moment: datetime, state: State
) -> dict[str, Any]:
    """What `Quote` says of the outcome."""
    return {
        "from": wish.source,
        "to": wish.target,
        "from_amount": _plain_or_null(outcome.from_amount),
        "to_amount": _plain_or_null(outcome.to_amount),
        "feasible": outcome.reason is None,
        "reason": outcome.reason and outcome.reason.value,
        "effective_rate": _plain_or_null(outcome.effective_rate),
        "legs": [_leg(leg, rfc3339(confirmed_at)) for leg in outcome.legs],
        "rounding": {"mode": outcome.mode.value, "increment": plain(outcome.increment)},
        "as_of": rfc3339(moment),
        "state": state.value,
    }


def _leg(leg: Leg, confirmed_at: str) -> dict[str, Any]:
    return {
        "currency": leg.rate.currency,
        "side": leg.side.value,
        "rate": plain(leg.number),
        "unit": leg.rate.unit,
        "confirmed_at": confirmed_at,
    }


def _plain_or_null(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)

"""What an amount comes to by a board."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from wxc.core import clock
from wxc.core.decimals import decimal_text, decimal_text_or_none
from wxc.core.times import rfc3339
from wxc.db.handle import Handle
from wxc.exchange.domain.freshness import State, state_of
from wxc.exchange.domain.quotes import (
    ConversionRequest,
    Leg,
    Outcome,
    Rate,
    TooLarge,
    convert,
    not_offered,
)
from wxc.exchange.errors import AmountTooLarge
from wxc.exchange.repository.boards import BoardRow
from wxc.exchange.repository.search import FoundBoard
from wxc.exchange.schemas.quotes import Quote, QuoteLeg
from wxc.exchange.service.reading import find_board, is_hidden


async def quote(
    db: Handle,
    username: str,
    viewer_id: UUID | None,
    conversion: ConversionRequest,
    as_of: datetime | None,
) -> Quote:
    """The conversion by that member's board; raises `UserNotFound`, `ExchangeNotFound`.

    Raises `AmountTooLarge` too.
    """
    board = await find_board(db, username, viewer_id, as_of)
    moment = as_of or clock.now()
    state = state_of(board.confirmed_at, board.valid_for_hours, moment)
    if state is State.EXPIRED or is_hidden(board, viewer_id):
        return _present(board, conversion, not_offered(conversion), moment)
    return quote_by(board, conversion, moment)


def quote_by(
    board: BoardRow | FoundBoard, conversion: ConversionRequest, moment: datetime
) -> Quote:
    """The conversion by a board as of `moment`; raises `AmountTooLarge`."""
    rates = {
        currency: Rate(
            currency, unit, *(None if number is None else Decimal(number) for number in numbers)
        )
        for currency, unit, *numbers in board.lines or ()
        if currency in (conversion.source, conversion.target)
    }
    try:
        outcome = convert(board.base_currency, rates, conversion)
    except TooLarge:
        raise AmountTooLarge from None
    return _present(board, conversion, outcome, moment)


def _present(
    board: BoardRow | FoundBoard, conversion: ConversionRequest, outcome: Outcome, moment: datetime
) -> Quote:
    return {
        "from": conversion.source,
        "to": conversion.target,
        "from_amount": decimal_text_or_none(outcome.from_amount),
        "to_amount": decimal_text_or_none(outcome.to_amount),
        "feasible": outcome.reason is None,
        "reason": outcome.reason,
        "effective_rate": decimal_text_or_none(outcome.effective_rate),
        "legs": [_leg(leg, rfc3339(board.confirmed_at)) for leg in outcome.legs],
        "rounding": {"mode": outcome.mode, "increment": decimal_text(outcome.increment)},
        "as_of": rfc3339(moment),
        "state": state_of(board.confirmed_at, board.valid_for_hours, moment),
    }


def _leg(leg: Leg, confirmed_at: str) -> QuoteLeg:
    return {
        "currency": leg.rate.currency,
        "side": leg.side,
        "rate": decimal_text(leg.number),
        "unit": leg.rate.unit,
        "confirmed_at": confirmed_at,
    }

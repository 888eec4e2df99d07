from datetime import datetime
from decimal import Decimal
from uuid import UUID

from wxc.core import clock
from wxc.core.decimals import decimal_text, decimal_text_or_none
from wxc.core.times import rfc3339
from wxc.db.handle import Handle
from wxc.exchange.boards.repository.reading import BoardRow
from wxc.exchange.boards.service.reading import find_board, is_hidden
from wxc.exchange.domain.freshness import is_expired, state_at
from wxc.exchange.domain.quotes import (
    ConversionRequest,
    ConversionResult,
    Leg,
    Rate,
    ResultTooLarge,
    convert,
    not_offered,
)
from wxc.exchange.quotes.errors import AmountTooLarge
from wxc.exchange.quotes.schemas import Quote, QuoteLeg


async def quote(
    db: Handle,
    username: str,
    viewer_id: UUID | None,
    conversion: ConversionRequest,
    as_of: datetime | None,
) -> Quote:
    """Raises `UserNotFound`, `ExchangeNotFound`, `AmountTooLarge`."""
    board = await find_board(db, username, viewer_id, as_of)
    moment = as_of or clock.now()
    was_expired = is_expired(board.confirmed_at, board.valid_for_hours, moment)
    if was_expired or is_hidden(board, viewer_id):
        return _present_quote(board, conversion, not_offered(conversion), moment)
    return quote_by_board(board, conversion, moment)


def quote_by_board(board: BoardRow, conversion: ConversionRequest, moment: datetime) -> Quote:
    """Raises `AmountTooLarge`."""
    rates = {
        currency: Rate(
            currency, unit, *(None if number is None else Decimal(number) for number in numbers)
        )
        for currency, unit, *numbers in board.lines or ()
        if currency in (conversion.source, conversion.target)
    }
    try:
        result = convert(board.base_currency, rates, conversion)
    except ResultTooLarge:
        raise AmountTooLarge from None
    return _present_quote(board, conversion, result, moment)


def _present_quote(
    board: BoardRow, conversion: ConversionRequest, result: ConversionResult, moment: datetime
) -> Quote:
    return {
        "from": conversion.source,
        "to": conversion.target,
        "from_amount": decimal_text_or_none(result.from_amount),
        "to_amount": decimal_text_or_none(result.to_amount),
        "feasible": result.reason is None,
        "reason": result.reason,
        "effective_rate": decimal_text_or_none(result.effective_rate),
        "legs": [_present_leg(leg, rfc3339(board.confirmed_at)) for leg in result.legs],
        "rounding": {"mode": result.mode, "increment": decimal_text(result.increment)},
        "as_of": rfc3339(moment),
        "state": state_at(board.confirmed_at, board.valid_for_hours, moment),
    }


def _present_leg(leg: Leg, confirmed_at: str) -> QuoteLeg:
    return {
        "currency": leg.rate.currency,
        "side": leg.side,
        "rate": decimal_text(leg.quoted_rate),
        "unit": leg.rate.unit,
        "confirmed_at": confirmed_at,
    }

"""What an amount comes to by a board."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.exchange.errors import AmountTooLarge
from wxc.exchange.freshness import State, state_of
from wxc.exchange.quotes import Leg, Outcome, Rate, TooLarge, Wish, convert, not_offered
from wxc.exchange.repository import ExchangeReader
from wxc.exchange.schemas import Quote, QuoteLeg, Rounding
from wxc.exchange.service.reading import found, is_hidden


async def quote(
    reader: Reader, username: str, viewer_id: UUID | None, wish: Wish, as_of: datetime | None
) -> Quote:
    """The conversion by that member's board; raises `UserNotFound`, `ExchangeNotFound`.

    Raises `AmountTooLarge` too.
    """
    row = found(await ExchangeReader(reader).of(username, viewer_id, as_of))
    moment = as_of or clock.now()
    state = state_of(row.confirmed_at, row.valid_for_hours, moment)
    if state is State.EXPIRED or is_hidden(row, viewer_id):
        return present(wish, not_offered(wish), row.confirmed_at, moment, state)
    try:
        outcome = convert(row.base_currency, rates_of(row, wish), wish)
    except TooLarge:
        raise AmountTooLarge from None
    return present(wish, outcome, row.confirmed_at, moment, state)


def rates_of(row: AnyRow, wish: Wish) -> dict[str, Rate]:
    """Those lines of a board, as `ExchangeReader.of` has it, that the wish is about."""
    return {
        currency: Rate(currency, unit, *(number and Decimal(number) for number in numbers))
        for currency, unit, *numbers in row.lines or ()
        if currency in (wish.source, wish.target)
    }


def present(
    wish: Wish, outcome: Outcome, confirmed_at: datetime, moment: datetime, state: State
) -> Quote:
    """The outcome as a client sees it."""
    return Quote(
        source=wish.source,
        target=wish.target,
        from_amount=outcome.from_amount,
        to_amount=outcome.to_amount,
        feasible=outcome.reason is None,
        reason=outcome.reason,
        effective_rate=outcome.effective_rate,
        legs=[_leg(leg, confirmed_at) for leg in outcome.legs],
        rounding=Rounding(mode=outcome.mode, increment=outcome.increment),
        as_of=moment,
        state=state,
    )


def _leg(leg: Leg, confirmed_at: datetime) -> QuoteLeg:
    return QuoteLeg(
        currency=leg.rate.currency,
        side=leg.side,
        rate=leg.number,
        unit=leg.rate.unit,
        confirmed_at=confirmed_at,
    )

"""What an amount comes to by a board."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.exchange.errors import AmountTooLarge
from wxc.exchange.freshness import State, state_of
from wxc.exchange.quotes import Leg, Outcome, Rate, TooLarge, Wish, convert, not_offered
from wxc.exchange.repository import LINE, ExchangeReader
from wxc.exchange.schemas import Quote, QuoteLeg, Rounding
from wxc.exchange.service.reading import is_hidden, refuse_absent


async def quote(
    reader: Reader, username: str, viewer_id: UUID | None, wish: Wish, as_of: datetime | None
) -> Quote:
    """The conversion by that member's board; raises `UserNotFound`, `ExchangeNotFound`.

    Raises `AmountTooLarge` too.
    """
    rows = await ExchangeReader(reader).of(username, viewer_id, as_of)
    refuse_absent(rows)
    row, moment = rows[0], as_of or clock.now()
    state = state_of(row.confirmed_at, row.valid_for_hours, moment)
    if state is State.EXPIRED or is_hidden(row, viewer_id):
        return present(wish, not_offered(wish), row.confirmed_at, moment, state)
    try:
        outcome = convert(row.base_currency, rates_of(rows, wish), wish)
    except TooLarge:
        raise AmountTooLarge from None
    return present(wish, outcome, row.confirmed_at, moment, state)


def rates_of(rows: Sequence[AnyRow], wish: Wish) -> dict[str, Rate]:
    """Those lines of a board, in rows of `ExchangeReader.of`, that the wish is about."""
    wanted = (row for row in rows if row.currency in (wish.source, wish.target))
    return {row.currency: Rate(**{name: getattr(row, name) for name in LINE}) for row in wanted}


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

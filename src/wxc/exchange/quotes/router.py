"""Conversions by a board."""

from wxc.accounts.auth.dependencies import MaybeUser
from wxc.db.dependencies import Database
from wxc.exchange.boards.dependencies import AsOf
from wxc.exchange.boards.errors import ExchangeNotFound
from wxc.exchange.quotes import service
from wxc.exchange.quotes.dependencies import RequestedConversion
from wxc.exchange.quotes.errors import AmountTooLarge
from wxc.exchange.quotes.schemas import Quote
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.social.users.dependencies import PathUsername

router = make_router("exchange")


@router.get(
    "/users/{username}/exchange/quote",
    summary="What an amount comes to",
    responses=error_responses(ExchangeNotFound, AmountTooLarge),
)
async def get_quote(
    username: PathUsername,
    viewer: MaybeUser,
    conversion: RequestedConversion,
    as_of: AsOf,
    database: Database,
) -> Quote:
    """Convert `amount`, or tell what `to_amount` costs, by a person's board, now or as of a moment.

    Exact, and rounded once: what you receive down, what you pay up. What cannot be done is no
    error: `feasible` is false, and `reason` says why. An expired board offers nothing.
    """
    return await service.quote(database, username, viewer.id if viewer else None, conversion, as_of)

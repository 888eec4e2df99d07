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
    summary="Convert an amount",
    responses=error_responses(ExchangeNotFound, AmountTooLarge),
)
async def get_quote(
    username: PathUsername,
    viewer: MaybeUser,
    conversion: RequestedConversion,
    as_of: AsOf,
    database: Database,
) -> Quote:
    """Converts `amount`, or computes the price of `to_amount`, by the rates of a user's exchange.

    The result is exact and rounded once: down if the customer receives it, up if the customer
    pays it. If the exchange cannot do the conversion, `feasible` is false and `reason` is set;
    the status is still 200. An expired exchange offers no conversion.
    """
    return await service.quote(database, username, viewer.id if viewer else None, conversion, as_of)

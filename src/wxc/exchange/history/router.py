from wxc.accounts.auth.dependencies import MaybeUser
from wxc.db.dependencies import Database
from wxc.exchange.boards.errors import ExchangeNotFound
from wxc.exchange.history.dependencies import RequestedPage
from wxc.exchange.history.schemas import RateHistoryPage
from wxc.exchange.history.service import reading
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.social.users.dependencies import PathUsername

router = make_router("exchange")


@router.get(
    "/users/{username}/exchange/history",
    summary="Get the history of a rate",
    responses=error_responses(ExchangeNotFound),
)
async def list_rate_history(
    username: PathUsername,
    viewer: MaybeUser,
    requested: RequestedPage,
    database: Database,
) -> RateHistoryPage:
    """Returns the changes of one currency's rate, newest first.

    With `group`, each item is a UTC hour or day with changes: the first, highest, lowest and last
    buying and selling price, per base currency and unit.
    """
    return await reading.list_history(database, username, viewer.id if viewer else None, *requested)

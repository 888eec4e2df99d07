"""Search for boards."""

from wxc.accounts.auth.dependencies import MaybeUser
from wxc.db.dependencies import Database
from wxc.exchange.search import service
from wxc.exchange.search.dependencies import RequestedSearch, SearchPage
from wxc.exchange.search.errors import SearchExpired
from wxc.exchange.search.schemas import HitPage
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router

router = make_router("exchange")


@router.get(
    "/exchanges",
    summary="Find an exchange",
    responses=error_responses(SearchExpired),
)
async def search_exchanges(
    viewer: MaybeUser, page: SearchPage, request: RequestedSearch, database: Database
) -> HitPage:
    """Boards near a place (`lat`, `lon`), boards that do a conversion (`from`, `to`, `amount`), or
    both, the nearest or those where one receives most first. Without a place, the boards that have
    changed their rates last are compared: up to 500 that pay in `to`, or are paid in `from`, or
    deal in both.

    All pages go by the rates of the instant of the first one, for ten minutes. Stale rates are
    left out unless you ask for them, expired ones always. A page may be shorter than its limit.
    """
    return await service.search(database, request, page, viewer.id if viewer else None)

from wxc.accounts.auth.dependencies import MaybeUser, counted
from wxc.accounts.auth.policies import MemberQuota
from wxc.db.dependencies import Database
from wxc.exchange.search import service
from wxc.exchange.search.dependencies import RequestedPage
from wxc.exchange.search.errors import SearchExpired
from wxc.exchange.search.schemas import HitPage
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router

router = make_router("exchange")


@router.get(
    "/exchanges",
    summary="Search for exchanges",
    dependencies=[counted(MemberQuota.SEARCHES)],
    responses=error_responses(SearchExpired),
)
async def search_exchanges(
    viewer: MaybeUser, requested: RequestedPage, database: Database
) -> HitPage:
    """Finds exchanges near a place (`lat`, `lon`), exchanges that can do a conversion (`from`,
    `to`, `amount`), or both, ordered by distance or by the amount that the customer receives.

    Without a place, only the exchanges whose rates for these currencies changed most recently are
    compared, at most 500 of each kind: base currency `from`, base currency `to`, another base with
    a rate for `from`, another base with a rate for `to`.

    All pages use the rates at the time of the first page, for ten minutes. Stale rates are excluded
    by default, expired rates always. A page can have fewer items than `limit` and not be the last.
    """
    return await service.search(database, *requested, viewer.id if viewer else None)

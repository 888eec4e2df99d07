"""Search for users."""

from wxc.accounts.auth.dependencies import MaybeUser
from wxc.db.dependencies import Database
from wxc.http.routers import make_router
from wxc.social.search import service
from wxc.social.search.dependencies import RankedPage, SearchText
from wxc.social.users.schemas import UserPage

router = make_router("users", prefix="/users")


@router.get("", summary="Find people")
async def search_users(
    q: SearchText, viewer: MaybeUser, database: Database, page: RankedPage
) -> UserPage:
    """People by what their username or name begins with, then by what is spelled alike.

    Whoever has exactly that username comes first. `prev_cursor` brings the page before.
    """
    return await service.find_users(database, q, viewer.id if viewer else None, page)

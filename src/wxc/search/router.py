"""Finding people."""

from wxc.auth.dependencies import MaybeUser
from wxc.auth.errors import NotAuthenticated, SessionExpired
from wxc.core.dependencies import ReadSession
from wxc.core.openapi import documented
from wxc.http.routers import make_router
from wxc.search import service
from wxc.search.dependencies import Ranked, SearchText
from wxc.users.schemas import UserPage

router = make_router("users", prefix="/users")


@router.get("", summary="Find people", responses=documented(NotAuthenticated, SessionExpired))
async def search_users(
    q: SearchText, viewer: MaybeUser, reader: ReadSession, page: Ranked
) -> UserPage:
    """People by what their username or name begins with, then by what is spelled alike.

    Whoever has exactly that username comes first. `prev_cursor` brings the page before.
    """
    return await service.find_people(reader, q, viewer.id if viewer else None, page)

"""The personal feed."""

from wxc.auth.dependencies import CurrentUser, OwnPaging
from wxc.auth.errors import NotAuthenticated, SessionExpired
from wxc.core.dependencies import ReadSession
from wxc.core.openapi import documented
from wxc.core.plain import Plain
from wxc.feed import service
from wxc.feed.schemas import FeedPage
from wxc.http.routers import make_router

router = make_router("feed")


@router.get("/feeds", summary="Your feed", responses=documented(NotAuthenticated, SessionExpired))
async def read_feed(me: CurrentUser, reader: ReadSession, page: OwnPaging) -> Plain[FeedPage]:
    """Your posts and those of the people you follow, newest first; poll with `prev_cursor`."""
    return await service.read_feed(reader, me, page)

"""The personal feed."""

from wxc.auth.dependencies import CurrentUser, OwnPaging
from wxc.core.dependencies import Database
from wxc.feed import service
from wxc.feed.schemas import FeedPage
from wxc.http.routers import make_router

router = make_router("feed")


@router.get("/feeds", summary="Your feed")
async def read_feed(me: CurrentUser, database: Database, page: OwnPaging) -> FeedPage:
    """Your posts and those of the people you follow, newest first; poll with `prev_cursor`."""
    return await service.read_feed(database, me, page)

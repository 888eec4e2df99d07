"""The personal feed."""

from wxc.accounts.auth.dependencies import CurrentUser, OwnPaging
from wxc.db.dependencies import Database
from wxc.http.routers import make_router
from wxc.social.feed import service
from wxc.social.feed.schemas import FeedPage

router = make_router("feed")


@router.get("/feeds", summary="Your feed")
async def read_feed(me: CurrentUser, database: Database, page: OwnPaging) -> FeedPage:
    """Your posts and those of the people you follow, newest first; poll with `prev_cursor`."""
    return await service.read_feed(database, me, page)

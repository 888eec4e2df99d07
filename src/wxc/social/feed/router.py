from wxc.accounts.auth.dependencies import CurrentUser, OwnPaging
from wxc.db.dependencies import Database
from wxc.http.routers import make_router
from wxc.social.feed import service
from wxc.social.feed.schemas import FeedPage

router = make_router("feed")


@router.get("/feeds", summary="Get your feed")
async def read_feed(me: CurrentUser, database: Database, page: OwnPaging) -> FeedPage:
    """Your posts and those of the users you follow, newest first; poll with `prev_cursor`.

    If you follow nobody and have not posted, it lists recent public posts instead.
    """
    return await service.read_feed(database, me, page)

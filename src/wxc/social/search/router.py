from wxc.accounts.auth.dependencies import MaybeUser, counted
from wxc.accounts.auth.policies import MemberQuota
from wxc.db.dependencies import Database
from wxc.http.routers import make_router
from wxc.social.search import service
from wxc.social.search.dependencies import RankedPage, SearchText
from wxc.social.users.schemas import UserPage

router = make_router("users", prefix="/users")


@router.get("", summary="Search users", dependencies=[counted(MemberQuota.SEARCHES)])
async def search_users(
    q: SearchText, viewer: MaybeUser, database: Database, page: RankedPage
) -> UserPage:
    """Users whose username or display name starts with the text, then users with similar names or
    words in them. Accents and case are ignored: `lodz` finds `Łódź`.

    An exact match of the username comes first. Here `prev_cursor` returns the previous page.
    """
    return await service.find_users(database, q, viewer.id if viewer else None, page)

from fastapi import Response

from wxc.accounts.auth.dependencies import MaybeUser
from wxc.db.dependencies import Database
from wxc.http import etags
from wxc.http.etags import IfNoneMatch
from wxc.http.routers import make_router
from wxc.social.users import service
from wxc.social.users.dependencies import PathUsername
from wxc.social.users.schemas import Profile

router = make_router("users", prefix="/users")


@router.get(
    "/{username}",
    summary="Get a user's profile",
    response_model=Profile,
    responses=etags.ON_READ,
)
async def get_profile(
    username: PathUsername, viewer: MaybeUser, database: Database, if_none_match: IfNoneMatch = None
) -> Response:
    """The user's profile; if you are signed in, with your relationship to them."""
    found = await service.find_profile(database, username, viewer.id if viewer else None)
    return etags.conditional_response(found, if_none_match, is_signed_in=viewer is not None)

"""Profiles."""

from fastapi import APIRouter

from wxc.auth.dependencies import MaybeUser
from wxc.auth.errors import NotAuthenticated, SessionExpired
from wxc.core.dependencies import ReadSession
from wxc.core.openapi import documented
from wxc.users import service
from wxc.users.dependencies import NamedUser
from wxc.users.errors import UserNotFound
from wxc.users.schemas import Profile

router = APIRouter(prefix="/users", tags=["users"])


@router.get(
    "/{username}",
    summary="A person's profile",
    responses=documented(UserNotFound, NotAuthenticated, SessionExpired),
)
async def get_profile(username: NamedUser, viewer: MaybeUser, reader: ReadSession) -> Profile:
    """A person's profile, with what there is between you and them if you are signed in."""
    return await service.find_profile(reader, username, viewer.id if viewer else None)

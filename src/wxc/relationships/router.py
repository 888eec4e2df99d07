"""Following people."""

from fastapi import APIRouter

from wxc.auth.dependencies import CurrentUser, MaybeUser
from wxc.auth.errors import NotAuthenticated, SessionExpired
from wxc.core.dependencies import Paging, ReadSession, Session
from wxc.core.openapi import documented
from wxc.relationships import service
from wxc.relationships.errors import CannotFollowSelf
from wxc.relationships.schemas import FollowState
from wxc.users.dependencies import NamedUser
from wxc.users.errors import BlockedByYou, UserNotFound
from wxc.users.schemas import UserPage

router = APIRouter(prefix="/users/{username}", tags=["relationships"])
_READ = documented(UserNotFound, NotAuthenticated, SessionExpired)
_ACT = documented(UserNotFound, BlockedByYou, CannotFollowSelf, NotAuthenticated, SessionExpired)


@router.post("/follow", summary="Follow a person", responses=_ACT)
async def follow_user(username: NamedUser, me: CurrentUser, session: Session) -> FollowState:
    """Follow a person. Repeating the call is harmless."""
    return await service.follow(session, me, username)


@router.delete("/follow", summary="Unfollow a person", responses=_ACT)
async def unfollow_user(username: NamedUser, me: CurrentUser, session: Session) -> FollowState:
    """Stop following a person. Repeating the call is harmless."""
    return await service.unfollow(session, me, username)


@router.get("/followers", summary="Who follows a person", responses=_READ)
async def list_followers(
    username: NamedUser, viewer: MaybeUser, reader: ReadSession, page: Paging
) -> UserPage:
    """Who follows a person, the newest follower first."""
    return await service.list_followers(reader, username, viewer.id if viewer else None, page)


@router.get("/following", summary="Whom a person follows", responses=_READ)
async def list_following(
    username: NamedUser, viewer: MaybeUser, reader: ReadSession, page: Paging
) -> UserPage:
    """Whom a person follows, the newest first."""
    return await service.list_following(reader, username, viewer.id if viewer else None, page)

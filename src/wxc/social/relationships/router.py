"""Following, blocking and muting people."""

from wxc.accounts.auth.dependencies import CurrentUser, MaybeUser, OwnPaging
from wxc.db.dependencies import Database, Paging, Session
from wxc.http.openapi import error_responses, response_example
from wxc.http.routers import make_router
from wxc.social.relationships import service
from wxc.social.relationships.errors import CannotBlockSelf, CannotFollowSelf, CannotMuteSelf
from wxc.social.relationships.schemas import BlockState, FollowState, MuteState
from wxc.social.users.dependencies import PathUsername
from wxc.social.users.errors import BlockedByYou
from wxc.social.users.schemas import UserPage

router = make_router("relationships")
_FOLLOW_RESPONSES = error_responses(BlockedByYou, CannotFollowSelf)
_BLOCK_RESPONSES = error_responses(CannotBlockSelf)
_MUTE_RESPONSES = error_responses(CannotMuteSelf)


@router.post("/users/{username}/follow", summary="Follow a person", responses=_FOLLOW_RESPONSES)
async def follow_user(username: PathUsername, me: CurrentUser, session: Session) -> FollowState:
    """Follow a person. Repeating the call is harmless."""
    return await service.follow(session, me, username)


@router.delete(
    "/users/{username}/follow",
    summary="Unfollow a person",
    responses=_FOLLOW_RESPONSES | response_example(following=False, followers_count=128),
)
async def unfollow_user(username: PathUsername, me: CurrentUser, session: Session) -> FollowState:
    """Stop following a person. Repeating the call is harmless."""
    return await service.unfollow(session, me, username)


@router.get("/users/{username}/followers", summary="Who follows a person")
async def list_followers(
    username: PathUsername, viewer: MaybeUser, database: Database, page: Paging
) -> UserPage:
    """Who follows a person, the newest follower first."""
    return await service.list_followers(database, username, viewer.id if viewer else None, page)


@router.get("/users/{username}/following", summary="Whom a person follows")
async def list_following(
    username: PathUsername, viewer: MaybeUser, database: Database, page: Paging
) -> UserPage:
    """Whom a person follows, the newest first."""
    return await service.list_following(database, username, viewer.id if viewer else None, page)


@router.post("/users/{username}/block", summary="Block a person", responses=_BLOCK_RESPONSES)
async def block_user(username: PathUsername, me: CurrentUser, session: Session) -> BlockState:
    """Be no longer there for a person, nor they for you; neither follows the other any more.

    Repeating the call is harmless.
    """
    return await service.block(session, me, username)


@router.delete(
    "/users/{username}/block",
    summary="Unblock a person",
    responses=_BLOCK_RESPONSES | response_example(blocking=False),
)
async def unblock_user(username: PathUsername, me: CurrentUser, session: Session) -> BlockState:
    """Be there again for a person you have blocked. Repeating the call is harmless."""
    return await service.unblock(session, me, username)


@router.get("/settings/blocks", summary="Whom you block")
async def list_blocks(me: CurrentUser, database: Database, page: OwnPaging) -> UserPage:
    """Whom you block, the newest first."""
    return await service.list_blocks(database, me, page)


@router.post("/users/{username}/mute", summary="Mute a person", responses=_MUTE_RESPONSES)
async def mute_user(username: PathUsername, me: CurrentUser, session: Session) -> MuteState:
    """Keep a person out of your feed and notifications; they do not learn of it.

    Repeating the call is harmless.
    """
    return await service.mute(session, me, username)


@router.delete(
    "/users/{username}/mute",
    summary="Unmute a person",
    responses=_MUTE_RESPONSES | response_example(muting=False),
)
async def unmute_user(username: PathUsername, me: CurrentUser, session: Session) -> MuteState:
    """Hear a person again whom you have muted. Repeating the call is harmless."""
    return await service.unmute(session, me, username)


@router.get("/settings/mutes", summary="Whom you mute")
async def list_mutes(me: CurrentUser, database: Database, page: OwnPaging) -> UserPage:
    """Whom you mute, the newest first."""
    return await service.list_mutes(database, me, page)

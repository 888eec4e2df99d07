from wxc.accounts.auth.dependencies import CurrentUser, MaybeUser, OwnPaging, counted
from wxc.accounts.auth.policies import MemberQuota
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


@router.post(
    "/users/{username}/follow",
    summary="Follow a user",
    dependencies=[counted(MemberQuota.FOLLOWS)],
    responses=_FOLLOW_RESPONSES,
)
async def follow_user(username: PathUsername, me: CurrentUser, session: Session) -> FollowState:
    """Follow a user, who is notified once. Repeating the request changes nothing."""
    return await service.follow(session, me, username)


@router.delete(
    "/users/{username}/follow",
    summary="Unfollow a user",
    responses=_FOLLOW_RESPONSES | response_example(following=False, followers_count=128),
)
async def unfollow_user(username: PathUsername, me: CurrentUser, session: Session) -> FollowState:
    """Stop following a user. Repeating the request changes nothing."""
    return await service.unfollow(session, me, username)


@router.get("/users/{username}/followers", summary="List a user's followers")
async def list_followers(
    username: PathUsername, viewer: MaybeUser, database: Database, page: Paging
) -> UserPage:
    """The user's followers, newest first. Users you cannot see are not listed."""
    return await service.list_followers(database, username, viewer.id if viewer else None, page)


@router.get("/users/{username}/following", summary="List the users a user follows")
async def list_following(
    username: PathUsername, viewer: MaybeUser, database: Database, page: Paging
) -> UserPage:
    """The users that this user follows, newest first. Users you cannot see are not listed."""
    return await service.list_following(database, username, viewer.id if viewer else None, page)


@router.post("/users/{username}/block", summary="Block a user", responses=_BLOCK_RESPONSES)
async def block_user(username: PathUsername, me: CurrentUser, session: Session) -> BlockState:
    """Block a user. You no longer see each other, and follows between you are deleted.

    You can still see the user's profile, so that you can unblock them. Repeating the request
    changes nothing.
    """
    return await service.block(session, me, username)


@router.delete(
    "/users/{username}/block",
    summary="Unblock a user",
    responses=_BLOCK_RESPONSES | response_example(blocking=False),
)
async def unblock_user(username: PathUsername, me: CurrentUser, session: Session) -> BlockState:
    """Unblock a user. Follows are not restored. Repeating the request changes nothing."""
    return await service.unblock(session, me, username)


@router.get("/settings/blocks", summary="List the users you block")
async def list_blocks(me: CurrentUser, database: Database, page: OwnPaging) -> UserPage:
    """The users you have blocked, latest block first."""
    return await service.list_blocks(database, me, page)


@router.post("/users/{username}/mute", summary="Mute a user", responses=_MUTE_RESPONSES)
async def mute_user(username: PathUsername, me: CurrentUser, session: Session) -> MuteState:
    """Hide a user from your feed and notifications. The user is not notified.

    Repeating the request changes nothing.
    """
    return await service.mute(session, me, username)


@router.delete(
    "/users/{username}/mute",
    summary="Unmute a user",
    responses=_MUTE_RESPONSES | response_example(muting=False),
)
async def unmute_user(username: PathUsername, me: CurrentUser, session: Session) -> MuteState:
    """Show a user in your feed and notifications again. Repeating the request changes nothing."""
    return await service.unmute(session, me, username)


@router.get("/settings/mutes", summary="List the users you mute")
async def list_mutes(me: CurrentUser, database: Database, page: OwnPaging) -> UserPage:
    """The users you have muted, latest mute first. Users who block you are not listed."""
    return await service.list_mutes(database, me, page)

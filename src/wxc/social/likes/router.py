from wxc.accounts.auth.dependencies import CurrentUser, MaybeUser, counted
from wxc.accounts.auth.policies import MemberQuota
from wxc.db.dependencies import Database, Paging
from wxc.http.openapi import error_responses, response_example
from wxc.http.routers import make_router
from wxc.social.likes import service
from wxc.social.likes.schemas import LikeState
from wxc.social.posts.dependencies import PostId
from wxc.social.posts.errors import PostNotFound
from wxc.social.users.errors import BlockedByYou
from wxc.social.users.schemas import UserPage

router = make_router("likes", prefix="/posts/{post_id}")
_READ_RESPONSES = error_responses(PostNotFound)
_LIKE_RESPONSES = error_responses(PostNotFound, BlockedByYou)


@router.post(
    "/like",
    summary="Like a post",
    dependencies=[counted(MemberQuota.LIKES)],
    responses=_LIKE_RESPONSES,
)
async def like_post(post_id: PostId, me: CurrentUser, database: Database) -> LikeState:
    """Repeating the request changes nothing."""
    return await service.like_post(database, me, post_id)


@router.delete(
    "/like",
    summary="Unlike a post",
    responses=_LIKE_RESPONSES | response_example(liked=False, likes_count=7),
)
async def unlike_post(post_id: PostId, me: CurrentUser, database: Database) -> LikeState:
    """Removes your like. Repeating the request changes nothing."""
    return await service.unlike_post(database, me, post_id)


@router.get("/likes", summary="List users who like a post", responses=_READ_RESPONSES)
async def list_likes(
    post_id: PostId, viewer: MaybeUser, database: Database, page: Paging
) -> UserPage:
    """Newest likes first. Users you cannot see are left out, though `likes_count` includes them."""
    return await service.list_likes(database, post_id, viewer.id if viewer else None, page)

from fastapi import Response, status

from wxc.accounts.auth.dependencies import CurrentUser, MaybeUser, TextQuota, counted
from wxc.accounts.auth.policies import MemberQuota
from wxc.db.dependencies import Database, Paging, Session
from wxc.http import etags
from wxc.http.etags import IfMatch, IfNoneMatch
from wxc.http.openapi import WITH_LOCATION, error_responses
from wxc.http.refusals.access import NotOwner
from wxc.http.routers import make_router
from wxc.idempotency.dependencies import MaybeIdempotentRequest
from wxc.social.posts import service
from wxc.social.posts.dependencies import PostId
from wxc.social.posts.errors import PostNotFound
from wxc.social.posts.schemas import Post, PostCreate, PostPage, PostUpdate
from wxc.social.users.dependencies import PathUsername

router = make_router("posts")


@router.post(
    "/posts",
    status_code=status.HTTP_201_CREATED,
    summary="Write a post",
    dependencies=[counted(MemberQuota.POSTS, has_idempotency_key=True)],
    responses=WITH_LOCATION,
)
async def write_post(
    post: PostCreate,
    response: Response,
    me: CurrentUser,
    database: Database,
    quota: TextQuota,
    idempotency: MaybeIdempotentRequest,
) -> Post:
    """The post appears in your followers' feeds immediately."""
    written = await service.write_post(database, me, post, quota, idempotency)
    response.headers["Location"] = f"/posts/{written['id']}"
    return written


@router.get(
    "/posts/{post_id}",
    summary="Get a post",
    response_model=Post,
    responses=etags.ON_READ | error_responses(PostNotFound),
)
async def get_post(
    post_id: PostId, viewer: MaybeUser, database: Database, if_none_match: IfNoneMatch = None
) -> Response:
    """Returns 304 without a body if an `ETag` in `If-None-Match` still matches."""
    found = await service.find_post(database, post_id, viewer.id if viewer else None)
    return etags.conditional_response(found, if_none_match, is_signed_in=viewer is not None)


@router.put(
    "/posts/{post_id}",
    summary="Edit a post",
    dependencies=[counted(MemberQuota.POSTS)],
    responses=etags.ON_WRITE | error_responses(PostNotFound, NotOwner),
)
async def edit_post(
    post_id: PostId,
    post: PostUpdate,
    response: Response,
    quota: TextQuota,
    session: Session,
    if_match: IfMatch,
) -> Post:
    """Replaces the body of your own post.

    Send the `ETag` of the post that you read as `If-Match`: if the post has been edited since
    then, the request fails with 412 and overwrites nothing.
    """
    edited = await service.edit_post(session, post_id, post, if_match, quota)
    return etags.with_etag(response, edited)


@router.delete(
    "/posts/{post_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a post",
    responses=error_responses(PostNotFound, NotOwner),
)
async def delete_post(post_id: PostId, me: CurrentUser, session: Session) -> None:
    """Deletes your own post with its likes and comments."""
    await service.delete_post(session, me, post_id)


@router.get("/users/{username}/posts", summary="List a user's posts")
async def list_posts(
    username: PathUsername, viewer: MaybeUser, database: Database, page: Paging
) -> PostPage:
    """The posts are ordered newest first."""
    return await service.list_posts(database, username, viewer.id if viewer else None, page)

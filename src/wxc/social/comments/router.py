from fastapi import Response, status

from wxc.accounts.auth.dependencies import CurrentUser, MaybeUser, TextQuota, counted
from wxc.accounts.auth.policies import MemberQuota
from wxc.db.dependencies import Database, Session
from wxc.http.openapi import WITH_LOCATION, error_responses, response_example
from wxc.http.refusals.access import NotOwner
from wxc.http.routers import make_router
from wxc.idempotency.dependencies import MaybeIdempotentRequest
from wxc.social.comments.dependencies import CommentId, DefaultRepliesCursors, Replies, Thread
from wxc.social.comments.errors import (
    CommentDeleted,
    CommentNotFound,
    ParentNotFound,
    ThreadTooDeep,
)
from wxc.social.comments.schemas import Comment, CommentCreate, CommentPage, CommentUpdate
from wxc.social.comments.service import likes, reading, writing
from wxc.social.likes.schemas import LikeState
from wxc.social.posts.dependencies import PostId
from wxc.social.posts.errors import PostNotFound
from wxc.social.users.errors import BlockedByYou

router = make_router("comments")
_READ_RESPONSES = error_responses(CommentNotFound)
_LIKE_RESPONSES = error_responses(CommentNotFound, BlockedByYou)


@router.post(
    "/posts/{post_id}/comments",
    status_code=status.HTTP_201_CREATED,
    summary="Write a comment",
    dependencies=[counted(MemberQuota.POSTS, has_idempotency_key=True)],
    responses=WITH_LOCATION
    | error_responses(
        PostNotFound, CommentNotFound, BlockedByYou, CommentDeleted, ParentNotFound, ThreadTooDeep
    ),
)
async def write_comment(
    post_id: PostId,
    comment: CommentCreate,
    response: Response,
    quota: TextQuota,
    session: Session,
    idempotency: MaybeIdempotentRequest,
) -> Comment:
    """Write a comment on the post or, with `parent_id`, a reply to one of its comments.

    Deleted comments and comments at depth 50 cannot be replied to.
    """
    written = await writing.write_comment(session, post_id, comment, quota, idempotency)
    response.headers["Location"] = f"/comments/{written['id']}"
    return written


@router.get(
    "/posts/{post_id}/comments",
    summary="List a post's comments",
    responses=error_responses(PostNotFound),
)
async def list_comments(viewer: MaybeUser, database: Database, thread: Thread) -> CommentPage:
    """A flat list in pre-order: each comment is followed by its replies; `depth` is their level.

    `limit` counts comments on the post itself. Use `replies_cursor` of a comment to fetch those of
    its replies that the page leaves out.
    """
    return await reading.list_comments(database, viewer.id if viewer else None, thread)


@router.get("/comments/{comment_id}", summary="Get a comment", responses=_READ_RESPONSES)
async def get_comment(
    comment_id: CommentId,
    viewer: MaybeUser,
    database: Database,
    replies_cursors: DefaultRepliesCursors,
) -> Comment:
    """Use its `replies_cursor` to list its replies, oldest first."""
    viewer_id = viewer.id if viewer else None
    return await reading.find_comment(database, comment_id, viewer_id, replies_cursors)


@router.put(
    "/comments/{comment_id}",
    summary="Edit a comment",
    dependencies=[counted(MemberQuota.POSTS)],
    responses=error_responses(CommentNotFound, CommentDeleted, NotOwner),
)
async def edit_comment(
    comment_id: CommentId,
    comment: CommentUpdate,
    me: CurrentUser,
    session: Session,
    replies_cursors: DefaultRepliesCursors,
    quota: TextQuota,
) -> Comment:
    """Replaces the body of your own comment."""
    return await writing.edit_comment(session, me, comment_id, comment, replies_cursors, quota)


@router.delete(
    "/comments/{comment_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a comment",
    responses=error_responses(CommentNotFound, NotOwner),
)
async def delete_comment(comment_id: CommentId, me: CurrentUser, session: Session) -> None:
    """Deletes your own comment, or any comment on your own post.

    A comment with replies becomes a tombstone, which is removed with its last reply.
    """
    await writing.delete_comment(session, me, comment_id)


@router.post(
    "/comments/{comment_id}/like",
    summary="Like a comment",
    dependencies=[counted(MemberQuota.LIKES)],
    responses=_LIKE_RESPONSES,
)
async def like_comment(comment_id: CommentId, me: CurrentUser, session: Session) -> LikeState:
    """Repeating the request changes nothing."""
    return await likes.like_comment(session, me, comment_id)


@router.delete(
    "/comments/{comment_id}/like",
    summary="Unlike a comment",
    responses=_LIKE_RESPONSES | response_example(liked=False, likes_count=7),
)
async def unlike_comment(comment_id: CommentId, me: CurrentUser, session: Session) -> LikeState:
    """Removes your like. Repeating the request changes nothing."""
    return await likes.unlike_comment(session, me, comment_id)


@router.get(
    "/comments/{comment_id}/replies", summary="List replies to a comment", responses=_READ_RESPONSES
)
async def list_replies(viewer: MaybeUser, database: Database, replies: Replies) -> CommentPage:
    """A flat list in pre-order, like a post's comments; `limit` counts direct replies."""
    return await reading.list_replies(database, viewer.id if viewer else None, replies)

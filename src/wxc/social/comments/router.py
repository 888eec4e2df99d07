"""Comments."""

from fastapi import Response, status

from wxc.accounts.auth.dependencies import CurrentUser, MaybeUser
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
    responses=WITH_LOCATION
    | error_responses(
        PostNotFound, CommentNotFound, BlockedByYou, CommentDeleted, ParentNotFound, ThreadTooDeep
    ),
)
async def write_comment(
    post_id: PostId,
    comment: CommentCreate,
    response: Response,
    me: CurrentUser,
    session: Session,
    idempotency: MaybeIdempotentRequest,
) -> Comment:
    """Comment on a post, or reply to a comment that is not deleted and not 50 levels deep."""
    written = await writing.write_comment(session, me, post_id, comment, idempotency)
    response.headers["Location"] = f"/comments/{written['id']}"
    return written


@router.get(
    "/posts/{post_id}/comments",
    summary="A post's thread",
    responses=error_responses(PostNotFound),
)
async def list_comments(viewer: MaybeUser, database: Database, thread: Thread) -> CommentPage:
    """A flat list in pre-order: each comment is followed by its replies, `depth` says how nested.

    `limit` counts comments on the post itself. What is left out is at each `replies_cursor`.
    """
    return await reading.list_comments(database, viewer.id if viewer else None, thread)


@router.get("/comments/{comment_id}", summary="A comment", responses=_READ_RESPONSES)
async def get_comment(
    comment_id: CommentId,
    viewer: MaybeUser,
    database: Database,
    replies_cursors: DefaultRepliesCursors,
) -> Comment:
    """A single comment; `replies_cursor` begins its replies, oldest first."""
    viewer_id = viewer.id if viewer else None
    return await reading.find_comment(database, comment_id, viewer_id, replies_cursors)


@router.put(
    "/comments/{comment_id}",
    summary="Change a comment",
    responses=error_responses(CommentNotFound, CommentDeleted, NotOwner),
)
async def edit_comment(
    comment_id: CommentId,
    comment: CommentUpdate,
    me: CurrentUser,
    session: Session,
    replies_cursors: DefaultRepliesCursors,
) -> Comment:
    """Put another body in place of your comment's."""
    return await writing.edit_comment(session, me, comment_id, comment, replies_cursors)


@router.delete(
    "/comments/{comment_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a comment",
    responses=error_responses(CommentNotFound, NotOwner),
)
async def delete_comment(comment_id: CommentId, me: CurrentUser, session: Session) -> None:
    """Delete your comment, or any under your post. While it has replies, a tombstone stays."""
    await writing.delete_comment(session, me, comment_id)


@router.post("/comments/{comment_id}/like", summary="Like a comment", responses=_LIKE_RESPONSES)
async def like_comment(comment_id: CommentId, me: CurrentUser, session: Session) -> LikeState:
    """Like a comment. Repeating the call is harmless."""
    return await likes.like_comment(session, me, comment_id)


@router.delete(
    "/comments/{comment_id}/like",
    summary="Take a like back",
    responses=_LIKE_RESPONSES | response_example(liked=False, likes_count=7),
)
async def unlike_comment(comment_id: CommentId, me: CurrentUser, session: Session) -> LikeState:
    """No longer like a comment. Repeating the call is harmless."""
    return await likes.unlike_comment(session, me, comment_id)


@router.get(
    "/comments/{comment_id}/replies",
    summary="Replies to a comment",
    responses=_READ_RESPONSES,
)
async def list_replies(viewer: MaybeUser, database: Database, replies: Replies) -> CommentPage:
    """The replies to a comment as a thread of their own; `limit` counts direct ones."""
    return await reading.list_replies(database, viewer.id if viewer else None, replies)

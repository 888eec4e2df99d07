"""The parameters of comments and threads."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import Field

from wxc.core.ids import Id
from wxc.db.dependencies import CursorParameter, Limit, PlainNumber, scope_of
from wxc.db.keyset import DEFAULT_LIMIT, Order, PageRequest
from wxc.http.openapi import raises
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of
from wxc.social.comments.threads import (
    DEFAULT_BRANCH,
    DEFAULT_DEPTH,
    MAX_BRANCH,
    MAX_DEPTH,
    RepliesCursors,
    Sort,
    ThreadRequest,
    ThreadShape,
    replies_scope,
)
from wxc.social.posts.dependencies import PostId

CommentId = Annotated[Id, Path(description="The comment's id.")]
_Sort = Annotated[
    Sort,
    Query(
        description="The order on every level. A thread that is read oldest first grows at its "
        "end: `next_cursor` leads exactly on and is null at the end, `prev_cursor` leads to what "
        "has been written since, so poll with it."
    ),
]
_Depth = Annotated[
    int,
    Field(ge=0, le=MAX_DEPTH),
    PlainNumber,
    Query(description="How many levels of replies are listed below the first one."),
]
_Branch = Annotated[
    int,
    Field(ge=1, le=MAX_BRANCH),
    PlainNumber,
    Query(description="How many replies of each comment are listed."),
]
_RepliesCursor = Annotated[
    str | None,
    Query(
        description="`replies_cursor` of this comment, `next_cursor` or `prev_cursor` of a page of "
        "its replies. It carries `sort`, `depth` and `branch`; what is given beside it is ignored."
    ),
]


async def requested_shape(
    sort: _Sort = "oldest", depth: _Depth = DEFAULT_DEPTH, branch: _Branch = DEFAULT_BRANCH
) -> ThreadShape:
    """The shape in the query parameters."""
    return ThreadShape(sort == "oldest", depth, branch)


RequestedShape = Annotated[ThreadShape, Depends(requested_shape)]


@raises(InvalidCursor)
async def thread(
    request: Request,
    post_id: PostId,
    shape: RequestedShape,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> ThreadRequest:
    """A page of a post's thread."""
    signer = services_of(request).cursors
    page = PageRequest(signer, scope_of(request), limit, cursor, order=_order(shape))
    return ThreadRequest(post_id, page, RepliesCursors(signer, shape))


@raises(InvalidCursor)
async def replies(
    request: Request,
    comment_id: CommentId,
    shape: RequestedShape,
    limit: Limit = DEFAULT_LIMIT,
    cursor: _RepliesCursor = None,
) -> ThreadRequest:
    """A page of a comment's replies; the shape in a cursor overrides the query."""
    signer, scope = services_of(request).cursors, replies_scope(comment_id)
    if cursor is not None:
        _, _, packed_shape = signer.verify(scope, cursor)
        shape = ThreadShape.unpack(packed_shape)
    page = PageRequest(
        signer,
        scope,
        limit,
        cursor,
        order=_order(shape),
        extra=shape.pack(),
    )
    return ThreadRequest(comment_id, page, RepliesCursors(signer, shape))


async def default_replies_cursors(request: Request) -> RepliesCursors:
    """The cursors to the replies of a single comment, in the default shape."""
    return RepliesCursors(services_of(request).cursors, ThreadShape())


def _order(shape: ThreadShape) -> Order:
    return Order.OLDEST_FIRST if shape.oldest_first else Order.NEWEST_FIRST


Thread = Annotated[ThreadRequest, Depends(thread)]
Replies = Annotated[ThreadRequest, Depends(replies)]
DefaultRepliesCursors = Annotated[RepliesCursors, Depends(default_replies_cursors)]

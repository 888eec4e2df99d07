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

CommentId = Annotated[Id, Path(description="The id of the comment.")]
_Sort = Annotated[
    Sort,
    Query(
        description="The order on every level. With `oldest`, new comments are added at the end: "
        "`next_cursor` is null on the last page; poll for newer comments with its `prev_cursor`."
    ),
]
_Depth = Annotated[
    int,
    Field(ge=0, le=MAX_DEPTH),
    PlainNumber,
    Query(description="How many levels of replies to list below the top level."),
]
_Branch = Annotated[
    int,
    Field(ge=1, le=MAX_BRANCH),
    PlainNumber,
    Query(description="How many direct replies to list for each comment."),
]
_RepliesCursor = Annotated[
    str | None,
    Query(
        description="`replies_cursor` of this comment, or `next_cursor` or `prev_cursor` of a page "
        "of its replies. The cursor contains `sort`, `depth` and `branch`; the parameters of the "
        "same names are then ignored."
    ),
]


async def requested_shape(
    sort: _Sort = "oldest", depth: _Depth = DEFAULT_DEPTH, branch: _Branch = DEFAULT_BRANCH
) -> ThreadShape:
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
    """The shape in a cursor overrides the query parameters."""
    signer, scope = services_of(request).cursors, replies_scope(comment_id)
    if cursor is not None:
        _, _, packed_shape = signer.verify(scope, cursor)
        shape = ThreadShape.unpack(packed_shape)
    page = PageRequest(signer, scope, limit, cursor, order=_order(shape), extra=shape.pack())
    return ThreadRequest(comment_id, page, RepliesCursors(signer, shape))


async def default_replies_cursors(request: Request) -> RepliesCursors:
    """For a comment that is returned outside a thread."""
    return RepliesCursors(services_of(request).cursors, ThreadShape())


def _order(shape: ThreadShape) -> Order:
    return Order.OLDEST_FIRST if shape.oldest_first else Order.NEWEST_FIRST


Thread = Annotated[ThreadRequest, Depends(thread)]
Replies = Annotated[ThreadRequest, Depends(replies)]
DefaultRepliesCursors = Annotated[RepliesCursors, Depends(default_replies_cursors)]

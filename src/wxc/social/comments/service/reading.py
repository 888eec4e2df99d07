from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from wxc.core.times import rfc3339, rfc3339_or_none
from wxc.db.handle import Handle
from wxc.db.keyset import PageSlice
from wxc.db.prepared import PreparedQuery
from wxc.social.comments.errors import CommentNotFound
from wxc.social.comments.repository.reading import CommentRow, comment_by_id, comments_by_ids
from wxc.social.comments.repository.threads import ThreadNode, replies_to, thread_of
from wxc.social.comments.schemas import Comment, CommentPage
from wxc.social.comments.threads import RepliesCursors, ThreadRequest
from wxc.social.posts.errors import PostNotFound
from wxc.social.users.repository import SummaryFields
from wxc.social.users.schemas import UserSummary
from wxc.social.users.service import present_summary


@dataclass(frozen=True, slots=True)
class ListedNode:
    """A comment of a response, with the last and the number of its listed replies."""

    id: UUID
    last_reply_id: UUID | None
    replies_count: int


async def find_comment(
    db: Handle, comment_id: UUID, viewer_id: UUID | None, replies_cursors: RepliesCursors
) -> Comment:
    """Raises `CommentNotFound` if the viewer cannot see the comment."""
    oldest_first = replies_cursors.shape.oldest_first
    row = await fetch_comment(db, comment_id, viewer_id, oldest_first=oldest_first)
    return present_comment(row, _replies_cursor(row, replies_cursors, last_reply_id=None))


async def fetch_comment(
    db: Handle, comment_id: UUID, viewer_id: UUID | None, *, oldest_first: bool = True
) -> CommentRow:
    """Raises `CommentNotFound` if the viewer cannot see the comment."""
    row = await db.fetch_one(comment_by_id(comment_id, viewer_id, oldest_first=oldest_first))
    if row is None:
        raise CommentNotFound
    return row


async def list_comments(db: Handle, viewer_id: UUID | None, request: ThreadRequest) -> CommentPage:
    """Raises `PostNotFound`."""
    nodes = await _fetch_nodes(db, thread_of, viewer_id, request)
    if not nodes:
        raise PostNotFound
    return await _present_page(db, nodes, viewer_id, request)


async def list_replies(db: Handle, viewer_id: UUID | None, request: ThreadRequest) -> CommentPage:
    """Raises `CommentNotFound`."""
    nodes = await _fetch_nodes(db, replies_to, viewer_id, request)
    if not nodes:
        raise CommentNotFound
    return await _present_page(db, nodes, viewer_id, request)


def present_comment(row: CommentRow, replies_cursor: str | None) -> Comment:
    return {
        "id": str(row.id),
        "post_id": str(row.post_id),
        "parent_id": None if row.parent_id is None else str(row.parent_id),
        "depth": row.depth,
        "author": _present_author(row),
        "body": row.body,
        "deleted": row.deleted_at is not None,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339_or_none(row.edited_at),
        "likes_count": row.likes_count,
        "replies_count": row.replies_count,
        "replies_cursor": replies_cursor,
        "viewer": None if row.liked is None else {"liked": row.liked},
    }


def _replies_cursor(
    row: CommentRow, replies_cursors: RepliesCursors, last_reply_id: UUID | None
) -> str | None:
    return replies_cursors.cursor_after(row.id, last_reply_id) if row.has_more else None


def _present_author(row: CommentRow) -> UserSummary | None:
    # The columns of the author are all NULL or all set.
    return (
        None if row.author_id is None else present_summary(cast(SummaryFields, row), row.author_id)
    )


async def _fetch_nodes(
    db: Handle,
    query: Callable[..., PreparedQuery[ThreadNode | None]],
    viewer_id: UUID | None,
    request: ThreadRequest,
) -> Sequence[ThreadNode | None]:
    """`[None]` for an empty page, `[]` if the viewer cannot see the post or comment."""
    shape = request.shape
    return await db.fetch(
        query(
            request.subject_id,
            viewer_id,
            shape.depth,
            shape.branch,
            page=request.page,
            oldest_first=shape.oldest_first,
            inline_sizes=shape.inline_sizes,
        )
    )


async def _present_page(
    db: Handle, found: Sequence[ThreadNode | None], viewer_id: UUID | None, request: ThreadRequest
) -> CommentPage:
    """Omits comments that were deleted after `_fetch_nodes`."""
    nodes = [node for node in found if node is not None]
    top_level = [node for node in nodes if node.relative_depth == 0]
    has_more = bool(top_level) and top_level[0].top_level_count > len(top_level)
    page_slice = request.page.slice_of(top_level, lambda node: node.id, has_more=has_more)
    listed = _with_listed_replies(_in_page_order(nodes, page_slice))
    rows = await _fetch_rows(db, listed, viewer_id, oldest_first=request.shape.oldest_first)
    return {
        "items": [
            present_comment(row, _replies_cursor(row, request.replies_cursors, node.last_reply_id))
            for node in listed
            if (row := rows.get(node.id))
        ],
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
    }


def _in_page_order(
    nodes: Sequence[ThreadNode], page_slice: PageSlice[ThreadNode]
) -> list[ThreadNode]:
    """Reorders the top level if the page was read backwards; replies follow their comment."""
    subtrees: dict[UUID, list[ThreadNode]] = {}
    for node in nodes:
        if node.relative_depth == 0:
            subtree = subtrees[node.id] = []
        subtree.append(node)
    return [node for top in page_slice.rows for node in subtrees[top.id]]


def _with_listed_replies(nodes: Sequence[ThreadNode]) -> list[ListedNode]:
    last_reply_ids: dict[UUID, UUID] = {}
    counts: dict[UUID, int] = {}
    for node in nodes:
        if node.parent_id is not None:
            last_reply_ids[node.parent_id] = node.id
            counts[node.parent_id] = counts.get(node.parent_id, 0) + 1
    return [
        ListedNode(node.id, last_reply_ids.get(node.id), counts.get(node.id, 0)) for node in nodes
    ]


async def _fetch_rows(
    db: Handle, listed: Sequence[ListedNode], viewer_id: UUID | None, *, oldest_first: bool
) -> dict[UUID, CommentRow]:
    """The comments that still exist; executes no statement if `listed` is empty."""
    if not listed:
        return {}
    query = comments_by_ids(
        [node.id for node in listed],
        [node.last_reply_id for node in listed],
        [node.replies_count for node in listed],
        viewer_id,
        oldest_first=oldest_first,
    )
    return {row.id: row for row in await db.fetch(query)}

"""Reading comments and threads."""

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
from wxc.social.comments.repository.skeletons import ThreadNode, replies_to, thread_of
from wxc.social.comments.schemas import Comment, CommentPage
from wxc.social.comments.threads import Branches, ThreadRequest
from wxc.social.posts.errors import PostNotFound
from wxc.social.users.repository import Summary
from wxc.social.users.schemas import UserSummary
from wxc.social.users.service import present_summary


@dataclass(frozen=True, slots=True)
class _Listed:
    """A comment of an answer, and which of its replies are listed there."""

    id: UUID
    last_reply_id: UUID | None
    replies_count: int


async def find_comment(
    db: Handle, comment_id: UUID, viewer_id: UUID | None, branches: Branches
) -> Comment:
    """A comment the viewer may see; raises `CommentNotFound` for any other."""
    query = comment_by_id(comment_id, viewer_id, oldest_first=branches.shape.oldest_first)
    row = await db.fetch_one(query)
    if row is None:
        raise CommentNotFound
    return present(row, branches, last_reply_id=None)


async def list_comments(db: Handle, viewer_id: UUID | None, request: ThreadRequest) -> CommentPage:
    """A page of the post's thread; raises `PostNotFound`."""
    nodes = await _nodes(db, thread_of, viewer_id, request)
    if not nodes:
        raise PostNotFound
    return await _page(db, nodes, viewer_id, request)


async def list_replies(db: Handle, viewer_id: UUID | None, request: ThreadRequest) -> CommentPage:
    """A page of the replies to a comment; raises `CommentNotFound`."""
    nodes = await _nodes(db, replies_to, viewer_id, request)
    if not nodes:
        raise CommentNotFound
    return await _page(db, nodes, viewer_id, request)


def present(row: CommentRow, branches: Branches, last_reply_id: UUID | None) -> Comment:
    """The comment of a row; `last_reply_id` is the last of its replies that is listed."""
    return {
        "id": str(row.id),
        "post_id": str(row.post_id),
        "parent_id": None if row.parent_id is None else str(row.parent_id),
        "depth": row.depth,
        "author": _author(row),
        "body": row.body,
        "deleted": row.deleted_at is not None,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339_or_none(row.edited_at),
        "likes_count": row.likes_count,
        "replies_count": row.replies_count,
        "replies_cursor": branches.cursor(row.id, last_reply_id) if row.has_more else None,
        "viewer": None if row.liked is None else {"liked": row.liked},
    }


def _author(row: CommentRow) -> UserSummary | None:
    # The columns of the author are null together.
    return None if row.author_id is None else present_summary(cast(Summary, row), row.author_id)


async def _nodes(
    db: Handle,
    query: Callable[..., PreparedQuery[ThreadNode | None]],
    viewer_id: UUID | None,
    request: ThreadRequest,
) -> Sequence[ThreadNode | None]:
    """The skeleton of the page; one None where nothing is listed, none without a subject."""
    shape = request.shape
    return await db.fetch(
        query(
            request.subject_id,
            viewer_id,
            shape.depth,
            shape.branch,
            page=request.page,
            oldest_first=shape.oldest_first,
            fixed_sizes=shape.fixed_sizes,
        )
    )


async def _page(
    db: Handle, found: Sequence[ThreadNode | None], viewer_id: UUID | None, request: ThreadRequest
) -> CommentPage:
    """The page of a skeleton; comments that were deleted since it was read are left out."""
    nodes = [node for node in found if node is not None]
    firsts = [node for node in nodes if node.level == 0]
    has_more = bool(firsts) and firsts[0].first_level_count > len(firsts)
    page_slice = request.page.slice_of(firsts, lambda node: node.id, has_more=has_more)
    listed = _listed(_ordered(nodes, page_slice))
    rows = await _rows(db, listed, viewer_id, oldest_first=request.shape.oldest_first)
    return {
        "items": [
            present(rows[one.id], request.branches, one.last_reply_id)
            for one in listed
            if one.id in rows
        ],
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
    }


def _ordered(nodes: Sequence[ThreadNode], page_slice: PageSlice[ThreadNode]) -> list[ThreadNode]:
    """The nodes as the page shows them: polling reads the first level from its other end."""
    branches: dict[UUID, list[ThreadNode]] = {}
    for node in nodes:
        if node.level == 0:
            branch = branches[node.id] = []
        branch.append(node)
    return [node for first in page_slice.rows for node in branches[first.id]]


def _listed(nodes: Sequence[ThreadNode]) -> list[_Listed]:
    """Each node with the last of its listed replies and their number."""
    lasts: dict[UUID, UUID] = {}
    counts: dict[UUID, int] = {}
    for node in nodes:
        if node.parent_id is not None:
            lasts[node.parent_id] = node.id
            counts[node.parent_id] = counts.get(node.parent_id, 0) + 1
    return [_Listed(node.id, lasts.get(node.id), counts.get(node.id, 0)) for node in nodes]


async def _rows(
    db: Handle, listed: Sequence[_Listed], viewer_id: UUID | None, *, oldest_first: bool
) -> dict[UUID, CommentRow]:
    """The rows of the comments that still exist; without comments no statement is executed."""
    if not listed:
        return {}
    query = comments_by_ids(
        [one.id for one in listed],
        [one.last_reply_id for one in listed],
        [one.replies_count for one in listed],
        viewer_id,
        oldest_first=oldest_first,
    )
    return {row.id: row for row in await db.fetch(query)}

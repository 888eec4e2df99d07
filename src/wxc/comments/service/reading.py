"""Reading comments and threads."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from wxc.comments.errors import CommentNotFound
from wxc.comments.repository import CommentReader
from wxc.comments.repository.reading import Listed
from wxc.comments.schemas import Comment, CommentPage
from wxc.comments.threads import Branches, ThreadRequest
from wxc.core.database import AnyRow, Reader
from wxc.core.plain import Plain
from wxc.core.times import rfc3339, rfc3339_or_null
from wxc.db.keyset import Cut
from wxc.posts.errors import PostNotFound
from wxc.users.service import summary_values


async def find_comment(
    reader: Reader, comment_id: UUID, viewer_id: UUID | None, branches: Branches
) -> Comment:
    """A comment the viewer may see; raises `CommentNotFound` for any other."""
    row = await CommentReader(reader).visible(
        comment_id, viewer_id, oldest_first=branches.shape.oldest_first
    )
    if row is None:
        raise CommentNotFound
    return present(row, row.liked, branches.cursor(row.id, None) if row.has_more else None)


async def list_comments(
    reader: Reader, viewer_id: UUID | None, request: ThreadRequest
) -> Plain[CommentPage]:
    """A page of the post's thread; raises `PostNotFound`."""
    nodes = await CommentReader(reader).thread(viewer_id, request)
    if nodes is None:
        raise PostNotFound
    return await _page(reader, nodes, viewer_id, request)


async def list_replies(
    reader: Reader, viewer_id: UUID | None, request: ThreadRequest
) -> Plain[CommentPage]:
    """A page of the replies to a comment; raises `CommentNotFound`."""
    nodes = await CommentReader(reader).replies(viewer_id, request)
    if nodes is None:
        raise CommentNotFound
    return await _page(reader, nodes, viewer_id, request)


def present(row: AnyRow, liked: bool | None, replies_cursor: str | None) -> Comment:
    """The comment that a row holds; `liked` is None for nobody."""
    return Comment.model_validate(_values(row, liked, replies_cursor))


async def _page(
    reader: Reader, nodes: Sequence[AnyRow], viewer_id: UUID | None, request: ThreadRequest
) -> Plain[CommentPage]:
    """The page of a skeleton, its comments hydrated; those that vanished meanwhile are left out."""
    firsts = [node for node in nodes if node.level == 0]
    has_more = bool(firsts) and firsts[0].firsts > len(firsts)
    cut = request.page.closed(firsts, lambda node: node.id, has_more=has_more)
    listed = _listed(_ordered(nodes, cut))
    rows = {}
    if listed:
        found = await CommentReader(reader).hydrated(
            listed, viewer_id, oldest_first=request.shape.oldest_first
        )
        rows = {row.id: row for row in found}
    return Plain(
        items=[_item(rows[one.id], one, request.branches) for one in listed if one.id in rows],
        next_cursor=cut.next_cursor,
        prev_cursor=cut.prev_cursor,
    )


def _ordered(nodes: Sequence[AnyRow], cut: Cut[AnyRow]) -> list[AnyRow]:
    """The nodes as the page shows them: polling reads the first level from its other end."""
    branches: dict[UUID, list[AnyRow]] = {}
    for node in nodes:
        if node.level == 0:
            branch = branches[node.id] = []
        branch.append(node)
    return [node for first in cut.rows for node in branches[first.id]]


def _listed(nodes: Sequence[AnyRow]) -> list[Listed]:
    """Each node with the last of its listed replies and their number."""
    lasts: dict[UUID, UUID] = {}
    counts: dict[UUID, int] = {}
    for node in nodes:
        if node.level > 0:
            lasts[node.parent_id] = node.id
            counts[node.parent_id] = counts.get(node.parent_id, 0) + 1
    return [Listed(node.id, lasts.get(node.id), counts.get(node.id, 0)) for node in nodes]


def _item(row: AnyRow, listed: Listed, branches: Branches) -> dict[str, Any]:
    replies_cursor = branches.cursor(row.id, listed.last) if row.has_more else None
    return _values(row, row.liked, replies_cursor)


def _values(row: AnyRow, liked: bool | None, replies_cursor: str | None) -> dict[str, Any]:
    """What `Comment` says."""
    return {
        "id": str(row.id),
        "post_id": str(row.post_id),
        "parent_id": None if row.parent_id is None else str(row.parent_id),
        "depth": row.depth,
        "author": None if row.author_id is None else summary_values(row, row.author_id),
        "body": row.body,
        "deleted": row.deleted_at is not None,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339_or_null(row.edited_at),
        "likes_count": row.likes_count,
        "replies_count": row.replies_count,
        "replies_cursor": replies_cursor,
        "viewer": None if liked is None else {"liked": liked},
    }

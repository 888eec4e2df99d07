"""Writing, reading and liking comments."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Principal
from wxc.comments.errors import (
    CommentDeleted,
    CommentNotFound,
    ParentNotFound,
    ThreadTooDeep,
    of_parent,
)
from wxc.comments.repository import CommentReader, CommentRepository
from wxc.comments.repository.reading import Listed
from wxc.comments.schemas import Comment, CommentCreate, CommentPage, CommentUpdate, CommentViewer
from wxc.comments.threads import DEEPEST_COMMENT, Branches, ThreadRequest
from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.core.errors import NotOwner
from wxc.core.pagination import Cut
from wxc.idempotency.service import Attempt, first_answer, keep_answer
from wxc.likes.repository import OF_COMMENTS, LikeRepository
from wxc.likes.schemas import LikeState
from wxc.posts.errors import PostNotFound
from wxc.posts.service import lock_to_act
from wxc.users.errors import BlockedByYou
from wxc.users.schemas import UserSummary


async def write_comment(
    session: AsyncSession,
    me: Principal,
    post_id: UUID,
    comment: CommentCreate,
    branches: Branches,
    attempt: Attempt | None = None,
) -> Comment:
    """Comment on a post or reply to a comment; raises what `lock_to_act` and `_parent` raise."""
    if first := await first_answer(session, attempt):
        await find_comment(session, first.subject_id, me.id, branches)
        raise first
    await lock_to_act(session, me, post_id)
    comments = CommentRepository(session)
    parent = await _parent(comments, me, post_id, comment.parent_id) if comment.parent_id else None
    row = await comments.add(me.id, post_id, comment.body, parent)
    written = _present(row, CommentViewer(liked=False), None)
    await keep_answer(
        session,
        attempt,
        written,
        subject_id=written.id,
        location=f"/comments/{written.id}",
        post_id=post_id,
    )
    return written


async def find_comment(
    reader: Reader, comment_id: UUID, viewer_id: UUID | None, branches: Branches
) -> Comment:
    """A comment the viewer may see; raises `CommentNotFound` for any other."""
    row = await CommentReader(reader).visible(
        comment_id, viewer_id, oldest_first=branches.shape.oldest_first
    )
    if row is None:
        raise CommentNotFound
    return _present(row, _viewer(row), branches.cursor(row.id, None) if row.has_more else None)


async def edit_comment(
    session: AsyncSession,
    me: Principal,
    comment_id: UUID,
    comment: CommentUpdate,
    branches: Branches,
) -> Comment:
    """Replace one's own words; raises `CommentNotFound`, `CommentDeleted` or `NotOwner`."""
    comments = CommentRepository(session)
    row = await comments.lock(comment_id, me.id)
    if row is None or row.blocking:
        raise CommentNotFound
    if row.is_deleted:
        raise CommentDeleted
    if row.author_id != me.id:
        raise NotOwner
    await comments.replace_body(comment_id, comment.body, clock.now())
    return await find_comment(session, comment_id, me.id, branches)


async def delete_comment(session: AsyncSession, me: Principal, comment_id: UUID) -> None:
    """Delete a comment of one's own or under one's own post.

    Raises `CommentNotFound` or `NotOwner`.
    """
    comments = CommentRepository(session)
    owner_id = await comments.lock_post_of(comment_id)
    row = await comments.lock(comment_id, me.id) if owner_id else None
    if row is None or row.blocking or row.is_deleted:
        raise CommentNotFound
    if me.id not in (row.author_id, owner_id):
        raise NotOwner
    await _take_away(comments, row)


async def erase_comments_of(session: AsyncSession, author_id: UUID, most: int) -> bool:
    """Delete up to `most` comments of an account that goes; False when none was left."""
    comments = CommentRepository(session)
    said = await comments.lock_posts_commented_by(author_id, most)
    for comment_id in said:
        row = await comments.lock_own(comment_id, author_id)
        if row is not None:
            await _take_away(comments, row)
    return bool(said)


async def like_comment(session: AsyncSession, me: Principal, comment_id: UUID) -> LikeState:
    """Make `me` like the comment; liking twice changes nothing."""
    comment = await _lock_to_like(session, me, comment_id)
    count = await LikeRepository(session, OF_COMMENTS).add(me.id, comment_id)
    return LikeState(liked=True, likes_count=comment.likes_count if count is None else count)


async def unlike_comment(session: AsyncSession, me: Principal, comment_id: UUID) -> LikeState:
    """Make `me` no longer like the comment; doing it twice changes nothing."""
    comment = await _lock_to_like(session, me, comment_id)
    count = await LikeRepository(session, OF_COMMENTS).remove(me.id, comment_id)
    return LikeState(liked=False, likes_count=comment.likes_count if count is None else count)


async def list_comments(
    reader: Reader, viewer_id: UUID | None, request: ThreadRequest
) -> CommentPage:
    """A page of the post's thread; raises `PostNotFound`."""
    nodes = await CommentReader(reader).thread(viewer_id, request)
    if nodes is None:
        raise PostNotFound
    return await _page(reader, nodes, viewer_id, request)


async def list_replies(
    reader: Reader, viewer_id: UUID | None, request: ThreadRequest
) -> CommentPage:
    """A page of the replies to a comment; raises `CommentNotFound`."""
    nodes = await CommentReader(reader).replies(viewer_id, request)
    if nodes is None:
        raise CommentNotFound
    return await _page(reader, nodes, viewer_id, request)


async def _parent(
    comments: CommentRepository, me: Principal, post_id: UUID, parent_id: UUID
) -> AnyRow:
    """The locked comment to reply to.

    Raises `ParentNotFound`, `BlockedByYou`, `CommentDeleted` or `ThreadTooDeep`.
    """
    parent = await comments.lock(parent_id, me.id)
    if parent is None or parent.post_id != post_id:
        raise of_parent(ParentNotFound)
    if parent.blocking:
        raise BlockedByYou
    if parent.is_deleted:
        raise CommentDeleted
    if parent.depth >= DEEPEST_COMMENT:
        raise of_parent(ThreadTooDeep)
    return parent


async def _take_away(comments: CommentRepository, comment: AnyRow) -> None:
    """Leave a tombstone while there are replies; the post is locked."""
    if comment.children_count:
        await comments.bury(comment, clock.now())
    else:
        await comments.remove(comment)


async def _lock_to_like(session: AsyncSession, me: Principal, comment_id: UUID) -> AnyRow:
    """Lock the comment; raises `CommentNotFound`, also for a tombstone, and `BlockedByYou`."""
    comment = await CommentRepository(session).lock(comment_id, me.id)
    if comment is None or comment.is_deleted:
        raise CommentNotFound
    if comment.blocking:
        raise BlockedByYou
    return comment


async def _page(
    reader: Reader, nodes: Sequence[AnyRow], viewer_id: UUID | None, request: ThreadRequest
) -> CommentPage:
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
    return CommentPage(
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


def _item(row: AnyRow, listed: Listed, branches: Branches) -> Comment:
    replies_cursor = branches.cursor(row.id, listed.last) if row.has_more else None
    return _present(row, _viewer(row), replies_cursor)


def _viewer(row: AnyRow) -> CommentViewer | None:
    return CommentViewer(liked=row.liked) if row.liked is not None else None


def _present(row: AnyRow, viewer: CommentViewer | None, replies_cursor: str | None) -> Comment:
    return Comment(
        id=row.id,
        post_id=row.post_id,
        parent_id=row.parent_id,
        depth=row.depth,
        author=_author(row),
        body=row.body,
        deleted=row.deleted_at is not None,
        created_at=row.created_at,
        edited_at=row.edited_at,
        likes_count=row.likes_count,
        replies_count=row.replies_count,
        replies_cursor=replies_cursor,
        viewer=viewer,
    )


def _author(row: AnyRow) -> UserSummary | None:
    if row.author_id is None:
        return None
    return UserSummary(
        id=row.author_id,
        username=row.username,
        display_name=row.display_name,
        avatar_url=row.avatar_url,
    )

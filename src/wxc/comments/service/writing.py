"""Writing, changing, deleting and liking comments."""

from uuid import UUID

from wxc.auth.context import Principal
from wxc.comments.errors import (
    CommentDeleted,
    CommentNotFound,
    ParentNotFound,
    ThreadTooDeep,
    of_parent,
)
from wxc.comments.repository import CommentLikeRepository, CommentRepository
from wxc.comments.schemas import Comment, CommentCreate, CommentUpdate
from wxc.comments.service.reading import find_comment, present
from wxc.comments.threads import DEEPEST_COMMENT, Branches
from wxc.core import clock
from wxc.core.database import AnyRow
from wxc.core.errors import NotOwner
from wxc.db.session import Session
from wxc.idempotency.service import Attempt, first_answer, keep_answer
from wxc.likes.schemas import LikeState
from wxc.notifications import service as notifications
from wxc.posts.service import lock_to_act
from wxc.users.errors import BlockedByYou


async def write_comment(
    session: Session,
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
    post = await lock_to_act(session, me, post_id)
    comments = CommentRepository(session)
    parent = await _parent(comments, me, post_id, comment.parent_id) if comment.parent_id else None
    row = await comments.add(me.id, post_id, comment.body, parent)
    written = present(row, liked=False, replies_cursor=None)
    await notifications.notify_of_comment(
        session,
        me.id,
        comment.body,
        comment_id=written.id,
        post_id=post_id,
        post_author_id=post.author_id,
        parent_author_id=parent.author_id if parent is not None else None,
    )
    await keep_answer(
        session,
        attempt,
        written,
        subject_id=written.id,
        location=f"/comments/{written.id}",
        post_id=post_id,
    )
    return written


async def edit_comment(
    session: Session,
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


async def delete_comment(session: Session, me: Principal, comment_id: UUID) -> None:
    """Delete a comment of one's own or under one's own post, there also across a block.

    Raises `CommentNotFound` or `NotOwner`.
    """
    comments = CommentRepository(session)
    owner_id = await comments.lock_post_of(comment_id)
    if owner_id == me.id:
        row = await comments.lock_unseen(comment_id)
    else:
        row = await comments.lock(comment_id, me.id) if owner_id else None
        if row is not None and row.blocking:
            raise CommentNotFound
    if row is None or row.is_deleted:
        raise CommentNotFound
    if me.id not in (row.author_id, owner_id):
        raise NotOwner
    await _take_away(session, row)


async def erase_comments_of(session: Session, author_id: UUID, most: int) -> bool:
    """Delete up to `most` comments of an account that goes; False when none was left."""
    comments = CommentRepository(session)
    said = await comments.lock_posts_commented_by(author_id, most)
    for comment_id in said:
        row = await comments.lock_unseen(comment_id)
        if row is not None and row.author_id == author_id:
            await _take_away(session, row)
    return bool(said)


async def like_comment(session: Session, me: Principal, comment_id: UUID) -> LikeState:
    """Make `me` like the comment; liking twice changes nothing."""
    comment = await _lock_to_like(session, me, comment_id)
    count = await CommentLikeRepository(session).add(me.id, comment_id)
    if count is not None:
        await notifications.notify_of_comment_like(
            session, me.id, comment.author_id, post_id=comment.post_id, comment_id=comment_id
        )
    return LikeState(liked=True, likes_count=comment.likes_count if count is None else count)


async def unlike_comment(session: Session, me: Principal, comment_id: UUID) -> LikeState:
    """Make `me` no longer like the comment; doing it twice changes nothing."""
    comment = await _lock_to_like(session, me, comment_id)
    count = await CommentLikeRepository(session).remove(me.id, comment_id)
    if count is not None:
        await notifications.withdraw_comment_like(
            session, me.id, comment.author_id, comment_id=comment_id
        )
    return LikeState(liked=False, likes_count=comment.likes_count if count is None else count)


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


async def _take_away(session: Session, comment: AnyRow) -> None:
    """Leave a tombstone while there are replies; the post is locked."""
    comments = CommentRepository(session)
    if comment.children_count:
        await comments.bury(comment, clock.now())
        await notifications.forget_comment(session, comment.id)
    else:
        await comments.remove(comment)


async def _lock_to_like(session: Session, me: Principal, comment_id: UUID) -> AnyRow:
    """Lock the comment; raises `CommentNotFound`, also for a tombstone, and `BlockedByYou`."""
    comments = CommentRepository(session)
    await comments.hold_post_of(comment_id)
    comment = await comments.lock(comment_id, me.id)
    if comment is None or comment.is_deleted:
        raise CommentNotFound
    if comment.blocking:
        raise BlockedByYou
    return comment

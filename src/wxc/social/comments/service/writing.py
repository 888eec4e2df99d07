from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.accounts.auth.quotas import WriteQuota
from wxc.core import clock
from wxc.db.commits import next_id
from wxc.db.session import Session
from wxc.http.refusals.access import NotOwner
from wxc.idempotency.service import IdempotentRequest, store_response, stored_response
from wxc.social.comments.errors import (
    CommentDeleted,
    CommentNotFound,
    ParentNotFound,
    ThreadTooDeep,
    parent_refusal,
)
from wxc.social.comments.repository.locks import (
    LockedComment,
    latest_comments_of,
    lock_any_comment,
    lock_comment,
    lock_post_of,
    lock_posts,
)
from wxc.social.comments.repository.reading import CommentRow
from wxc.social.comments.repository.writing import (
    delete_with_tombstones,
    insert_comment,
    replace_with_tombstone,
    update_comment_body,
)
from wxc.social.comments.schemas import Comment, CommentCreate, CommentUpdate
from wxc.social.comments.service.reading import fetch_comment, find_comment, present_comment
from wxc.social.comments.threads import MAX_COMMENT_DEPTH, RepliesCursors
from wxc.social.notifications.mentions import count_new_mentions
from wxc.social.notifications.service.notifying import (
    CommentContext,
    delete_comment_notifications,
    notify_of_comment,
    notify_of_edit,
)
from wxc.social.posts.service import lock_post_to_comment
from wxc.social.users.errors import BlockedByYou


async def write_comment(
    session: Session,
    post_id: UUID,
    comment: CommentCreate,
    quota: WriteQuota,
    idempotency: IdempotentRequest | None = None,
) -> Comment:
    """Raises `TooManyRequests` and the refusals of `lock_post_to_comment` and `_lock_parent`."""
    me = quota.me
    if replay := await stored_response(session, idempotency):
        await fetch_comment(session, replay.subject_id, me.id)
        raise replay
    post = await lock_post_to_comment(session, me, post_id)
    parent = None
    if comment.parent_id is not None:
        parent = await _lock_parent(session, me, post_id, comment.parent_id)
    comment_id = next_id(session)  # after the last lock: see `COMMIT_DEADLINE`
    row = await _insert_comment(session, comment_id, me.id, post_id, parent, comment.body)
    written = present_comment(row, replies_cursor=None)
    parent_author_id = None if parent is None else parent.author_id
    await quota.count(count_new_mentions(comment.body, row.username or ""))
    context = CommentContext(comment_id, post_id, post.author_id, parent_author_id)
    await notify_of_comment(session, me.id, comment.body, context)
    await store_response(
        session,
        idempotency,
        written,
        subject_id=comment_id,
        location=f"/comments/{comment_id}",
        post_id=post_id,
    )
    return written


async def edit_comment(
    session: Session,
    me: Principal,
    comment_id: UUID,
    comment: CommentUpdate,
    replies_cursors: RepliesCursors,
    quota: WriteQuota,
) -> Comment:
    """Raises `CommentNotFound`, `CommentDeleted`, `NotOwner` or `TooManyRequests`.

    The stored text is not an edit.
    """
    row = await session.fetch_one(lock_comment(comment_id, me.id))
    if row is None or row.blocking:
        raise CommentNotFound
    if row.is_deleted:
        raise CommentDeleted
    if row.author_id != me.id:
        raise NotOwner
    if comment.body == row.body:
        return await find_comment(session, comment_id, me.id, replies_cursors)
    await session.fetch_one(update_comment_body(comment_id, comment.body, clock.now()))
    edited = await find_comment(session, comment_id, me.id, replies_cursors)
    old_body, author = row.body or "", edited["author"]
    await quota.count(
        count_new_mentions(comment.body, author["username"] if author else "", old_body)
    )
    await notify_of_edit(session, me.id, old_body, comment.body, row.post_id, comment_id)
    return edited


async def delete_comment(session: Session, me: Principal, comment_id: UUID) -> None:
    """Delete a comment by `me` or, regardless of blocks, any comment on a post by `me`.

    Raises `CommentNotFound` or `NotOwner`.
    """
    post = await session.fetch_one(lock_post_of(comment_id))
    if post is None:
        raise CommentNotFound
    is_own_post = post.author_id == me.id
    row = await session.fetch_one(
        lock_any_comment(comment_id) if is_own_post else lock_comment(comment_id, me.id)
    )
    if row is None or row.is_deleted or row.blocking:
        raise CommentNotFound
    if not is_own_post and row.author_id != me.id:
        raise NotOwner
    await _delete_or_replace(session, row)


async def delete_comments_of(session: Session, author_id: UUID, limit: int) -> bool:
    """Delete up to `limit` comments of a deleted account; False if it had none left."""
    comments = await session.fetch(latest_comments_of(author_id, limit=limit))
    if comments:
        await session.fetch(lock_posts(list({comment.post_id for comment in comments})))
    for comment in comments:
        row = await session.fetch_one(lock_any_comment(comment.id))
        if row is not None and row.author_id == author_id:
            await _delete_or_replace(session, row)
    return bool(comments)


async def _lock_parent(
    session: Session, me: Principal, post_id: UUID, parent_id: UUID
) -> LockedComment:
    """Raises `ParentNotFound`, `BlockedByYou`, `CommentDeleted` or `ThreadTooDeep`."""
    parent = await session.fetch_one(lock_comment(parent_id, me.id))
    if parent is None or parent.post_id != post_id:
        raise parent_refusal(ParentNotFound)
    if parent.blocking:
        raise BlockedByYou
    if parent.is_deleted:
        raise CommentDeleted
    if parent.depth >= MAX_COMMENT_DEPTH:
        raise parent_refusal(ThreadTooDeep)
    return parent


async def _insert_comment(
    session: Session,
    comment_id: UUID,
    author_id: UUID,
    post_id: UUID,
    parent: LockedComment | None,
    body: str,
) -> CommentRow:
    query = insert_comment(
        comment_id,
        author_id,
        post_id,
        parent.id if parent else None,
        parent.depth + 1 if parent else 0,
        body,
        clock.now(),
        is_reply=parent is not None,
    )
    (row,) = await session.fetch(query)
    return row


async def _delete_or_replace(session: Session, comment: LockedComment) -> None:
    """Delete the comment or, if it has replies, replace it with a tombstone. The post is locked."""
    if comment.children_count:
        await session.fetch_one(
            replace_with_tombstone(comment.id, comment.post_id, comment.parent_id, clock.now())
        )
        await delete_comment_notifications(session, comment.id)
    else:
        await session.fetch_one(
            delete_with_tombstones(comment.id, comment.post_id, comment.parent_id)
        )

from typing import NamedTuple
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.core import clock
from wxc.db.commits import next_id
from wxc.db.session import Session
from wxc.social.comments.errors import CommentNotFound
from wxc.social.comments.repository.likes import delete_comment_like, insert_comment_like
from wxc.social.comments.repository.locks import lock_comment, lock_post_share
from wxc.social.likes.schemas import LikeState
from wxc.social.notifications.service.notifying import (
    hide_comment_like_notification,
    notify_of_comment_like,
)
from wxc.social.users.errors import BlockedByYou


class _Likeable(NamedTuple):
    """A comment that is not a tombstone, so it has an author."""

    author_id: UUID
    post_id: UUID
    likes_count: int


async def like_comment(session: Session, me: Principal, comment_id: UUID) -> LikeState:
    """Idempotent; raises `CommentNotFound`, also for a tombstone, and `BlockedByYou`."""
    comment = await _lock_likeable(session, me, comment_id)
    query = insert_comment_like(next_id(session), me.id, comment_id, clock.now())
    inserted = await session.fetch_one(query)
    if inserted is None:
        return LikeState(liked=True, likes_count=comment.likes_count)
    await notify_of_comment_like(
        session, me.id, comment.author_id, post_id=comment.post_id, comment_id=comment_id
    )
    return LikeState(liked=True, likes_count=inserted.likes_count)


async def unlike_comment(session: Session, me: Principal, comment_id: UUID) -> LikeState:
    """Idempotent; raises `CommentNotFound`, also for a tombstone, and `BlockedByYou`."""
    comment = await _lock_likeable(session, me, comment_id)
    deleted = await session.fetch_one(delete_comment_like(me.id, comment_id))
    if deleted is None:
        return LikeState(liked=False, likes_count=comment.likes_count)
    await hide_comment_like_notification(session, me.id, comment.author_id, comment_id=comment_id)
    return LikeState(liked=False, likes_count=deleted.likes_count)


async def _lock_likeable(session: Session, me: Principal, comment_id: UUID) -> _Likeable:
    await session.fetch_one(lock_post_share(comment_id))
    comment = await session.fetch_one(lock_comment(comment_id, me.id))
    if comment is None or comment.author_id is None:
        raise CommentNotFound
    if comment.blocking:
        raise BlockedByYou
    return _Likeable(comment.author_id, comment.post_id, comment.likes_count)

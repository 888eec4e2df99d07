"""Lock order: a write that changes the structure of a thread locks the post, then the comments.

The lock on the post serialises these writes, so rows read after it do not become stale.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, any_, false, or_, select

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import Comment, Post, RowId, User
from wxc.social.comments.repository.visibility import comment_with_visible_ancestors
from wxc.social.posts.repository import PostAuthor
from wxc.social.users.visibility import has_blocked, viewable_or_blocked_by


class LockedComment(NamedTuple):
    id: UUID
    post_id: UUID
    parent_id: UUID | None
    depth: int
    author_id: UUID | None
    """None for a tombstone."""
    children_count: int
    likes_count: int
    is_deleted: bool
    body: str | None
    blocking: bool
    """The viewer has blocked the author."""


class CommentOfPost(NamedTuple):
    id: UUID
    post_id: UUID


@prepared(PostAuthor)
def lock_post_of(comment_id: UUID) -> AnySelect:
    return (
        select(Post.author_id)
        .where(Post.id == _post_id_of(comment_id))
        .with_for_update(key_share=True)
    )


@prepared(RowId)
def lock_post_share(comment_id: UUID) -> AnySelect:
    """Blocks only a deletion of the post, which also locks the post before the comments."""
    return (
        select(Post.id)
        .where(Post.id == _post_id_of(comment_id))
        .with_for_update(read=True, key_share=True)
    )


@prepared(RowId)
def lock_posts(post_ids: Sequence[UUID]) -> AnySelect:
    """Locks in the order of ids, to avoid deadlocks."""
    posts = select(Post.id).where(Post.id == any_(bind(post_ids)))
    return posts.order_by(Post.id).with_for_update(key_share=True)


@prepared(LockedComment)
def lock_comment(comment_id: UUID, viewer_id: UUID) -> AnySelect:
    """No row unless the viewer can see the comment or has blocked its author."""
    statement = _select_locked_comment(has_blocked(viewer_id, User.id))
    return (
        comment_with_visible_ancestors(statement, comment_id, viewer_id)
        .where(or_(Comment.author_id.is_(None), viewable_or_blocked_by(viewer_id)))
        .with_for_update(key_share=True, of=Comment)
    )


@prepared(LockedComment)
def lock_any_comment(comment_id: UUID) -> AnySelect:
    """Lock a comment regardless of visibility; `blocking` is false."""
    return (
        _select_locked_comment(false())
        .where(Comment.id == comment_id)
        .with_for_update(key_share=True)
    )


@prepared(CommentOfPost)
def latest_comments_of(author_id: UUID, *, limit: int) -> AnySelect:
    """Newest first: a reply before the comment it replies to."""
    comments = select(Comment.id, Comment.post_id).where(Comment.author_id == author_id)
    return comments.order_by(Comment.id.desc()).limit(limit)


def _post_id_of(comment_id: UUID) -> ColumnElement[UUID]:
    return select(Comment.post_id).where(Comment.id == comment_id).scalar_subquery()


def _select_locked_comment(blocking: ColumnElement[bool]) -> AnySelect:
    return select(
        Comment.id,
        Comment.post_id,
        Comment.parent_id,
        Comment.depth,
        Comment.author_id,
        Comment.children_count,
        Comment.likes_count,
        Comment.deleted_at.isnot(None).label("is_deleted"),
        Comment.body,
        blocking.label("blocking"),
    )

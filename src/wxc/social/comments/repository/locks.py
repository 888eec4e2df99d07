"""SQL that locks comments and their posts before they are changed.

A write that changes the structure of a thread locks its post's row, then the comments; so two of
them take turns, and what is read after the first lock stays true.
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
    """A locked comment, and whether the viewer may act on it."""

    id: UUID
    post_id: UUID
    parent_id: UUID | None
    depth: int
    author_id: UUID | None
    """None for a tombstone."""
    children_count: int
    likes_count: int
    is_deleted: bool
    """It is a tombstone."""
    blocking: bool
    """The viewer has blocked the author."""


class CommentOfPost(NamedTuple):
    """A comment and its post."""

    id: UUID
    post_id: UUID


@prepared(PostAuthor)
def lock_post_of(comment_id: UUID) -> AnySelect:
    """Lock the post of the comment."""
    return (
        select(Post.author_id)
        .where(Post.id == _post_id_of(comment_id))
        .with_for_update(key_share=True)
    )


@prepared(RowId)
def lock_post_share(comment_id: UUID) -> AnySelect:
    """Lock the post of the comment against deletion, which locks the post before its thread."""
    return (
        select(Post.id)
        .where(Post.id == _post_id_of(comment_id))
        .with_for_update(read=True, key_share=True)
    )


@prepared(RowId)
def lock_posts(post_ids: Sequence[UUID]) -> AnySelect:
    """Lock these posts, in the order of their ids."""
    posts = select(Post.id).where(Post.id == any_(bind(post_ids)))
    return posts.order_by(Post.id).with_for_update(key_share=True)


@prepared(LockedComment)
def lock_comment(comment_id: UUID, viewer_id: UUID) -> AnySelect:
    """Lock a comment that the viewer can see, or whose author the viewer has blocked."""
    statement = _select_locked_comment(has_blocked(viewer_id, User.id))
    return (
        comment_with_visible_ancestors(statement, comment_id, viewer_id)
        .where(or_(Comment.author_id.is_(None), viewable_or_blocked_by(viewer_id)))
        .with_for_update(key_share=True, of=Comment)
    )


@prepared(LockedComment)
def lock_any_comment(comment_id: UUID) -> AnySelect:
    """Lock a comment, whether or not the caller can see it."""
    return (
        _select_locked_comment(false())
        .where(Comment.id == comment_id)
        .with_for_update(key_share=True)
    )


@prepared(CommentOfPost)
def latest_comments_of(author_id: UUID, *, limit: int) -> AnySelect:
    """Up to `limit` comments of the author, newest first."""
    comments = select(Comment.id, Comment.post_id).where(Comment.author_id == author_id)
    return comments.order_by(Comment.id.desc()).limit(limit)


def _post_id_of(comment_id: UUID) -> ColumnElement[UUID]:
    return select(Comment.post_id).where(Comment.id == comment_id).scalar_subquery()


def _select_locked_comment(blocking: ColumnElement[bool]) -> AnySelect:
    """A SELECT of the columns of `LockedComment`."""
    return select(
        Comment.id,
        Comment.post_id,
        Comment.parent_id,
        Comment.depth,
        Comment.author_id,
        Comment.children_count,
        Comment.likes_count,
        Comment.deleted_at.isnot(None).label("is_deleted"),
        blocking.label("blocking"),
    )

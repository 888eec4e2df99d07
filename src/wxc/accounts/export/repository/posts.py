"""Posts, comments and likes."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from wxc.accounts.export.repository.batches import batch
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Comment, CommentLike, Post, PostLike


class PostRow(NamedTuple):
    """A post by the account."""

    id: UUID
    body: str
    created_at: datetime
    edited_at: datetime | None
    likes_count: int
    comments_count: int
    key: UUID


class CommentRow(NamedTuple):
    """A comment by the account; tombstones have no author."""

    id: UUID
    post_id: UUID
    parent_id: UUID | None
    body: str
    created_at: datetime
    edited_at: datetime | None
    likes_count: int
    replies_count: int
    key: UUID


class CommentLikeRow(NamedTuple):
    """A comment that the account likes."""

    comment_id: UUID
    created_at: datetime
    key: UUID


class LikeRow(NamedTuple):
    """A post that the account likes."""

    post_id: UUID
    created_at: datetime
    key: UUID


@prepared(PostRow)
def posts(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The posts by the account."""
    query = select(
        Post.id,
        Post.body,
        Post.created_at,
        Post.edited_at,
        Post.likes_count,
        Post.comments_count,
    ).where(Post.author_id == user_id)
    return batch(query, Post.id, after, limit)


@prepared(CommentRow)
def comments(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The comments by the account."""
    query = select(
        Comment.id,
        Comment.post_id,
        Comment.parent_id,
        Comment.body,
        Comment.created_at,
        Comment.edited_at,
        Comment.likes_count,
        Comment.replies_count,
    ).where(Comment.author_id == user_id)
    return batch(query, Comment.id, after, limit)


@prepared(CommentLikeRow)
def comment_likes(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The likes of comments by the account."""
    query = select(CommentLike.comment_id, CommentLike.created_at).where(
        CommentLike.user_id == user_id
    )
    return batch(query, CommentLike.id, after, limit)


@prepared(LikeRow)
def likes(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The likes of posts by the account."""
    query = select(PostLike.post_id, PostLike.created_at).where(PostLike.user_id == user_id)
    return batch(query, PostLike.id, after, limit)

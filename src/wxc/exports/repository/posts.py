"""Posts, comments and likes."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.exports.repository.batches import batch_of
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
    return batch_of(PostRow, Post.id, after, limit).where(Post.author_id == user_id)


@prepared(CommentRow)
def comments(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The comments by the account."""
    return batch_of(CommentRow, Comment.id, after, limit).where(Comment.author_id == user_id)


@prepared(CommentLikeRow)
def comment_likes(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The likes of comments by the account."""
    return batch_of(CommentLikeRow, CommentLike.id, after, limit).where(
        CommentLike.user_id == user_id
    )


@prepared(LikeRow)
def likes(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    """The likes of posts by the account."""
    return batch_of(LikeRow, PostLike.id, after, limit).where(PostLike.user_id == user_id)

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from wxc.accounts.export.repository.batches import batch
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Comment, CommentLike, Post, PostLike


class PostRow(NamedTuple):
    id: UUID
    body: str
    created_at: datetime
    edited_at: datetime | None
    likes_count: int
    comments_count: int
    key: UUID


class CommentRow(NamedTuple):
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
    comment_id: UUID
    created_at: datetime
    key: UUID


class LikeRow(NamedTuple):
    post_id: UUID
    created_at: datetime
    key: UUID


@prepared(PostRow)
def posts(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
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
    """Excludes tombstones, which have no author."""
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
    query = select(CommentLike.comment_id, CommentLike.created_at).where(
        CommentLike.user_id == user_id
    )
    return batch(query, CommentLike.id, after, limit)


@prepared(LikeRow)
def likes(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    query = select(PostLike.post_id, PostLike.created_at).where(PostLike.user_id == user_id)
    return batch(query, PostLike.id, after, limit)

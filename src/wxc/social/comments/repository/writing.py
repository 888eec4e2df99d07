"""The caller has locked the post and the comments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CTE, case, delete, false, insert, null, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import Comment, CommentLike, IdempotencyKey, Post, RowId, User
from wxc.social.comments.repository.reading import CommentRow, stored_columns
from wxc.social.posts.repository import AUTHOR_COLUMNS


@prepared(CommentRow)
def insert_comment(
    comment_id: UUID,
    author_id: UUID,
    post_id: UUID,
    parent_id: UUID | None,
    depth: int,
    body: str,
    moment: datetime,
    *,
    is_reply: bool,
) -> AnySelect:
    """Also increments the counters of the post and the parent."""
    values = {
        "id": comment_id,
        "post_id": post_id,
        "parent_id": parent_id,
        "depth": depth,
        "author_id": author_id,
        "body": body,
        "created_at": moment,
    }
    comment = select(*(bind(value) for value in values.values()))
    inserted = (
        insert(Comment)
        .from_select(list(values), comment, include_defaults=False)
        .returning(*stored_columns(), Comment.author_id.label("inserted_author_id"))
        .cte("inserted")
    )
    statement: AnySelect = (
        select(
            *stored_columns(inserted.c),
            *AUTHOR_COLUMNS,
            false().label("liked"),
            false().label("has_more"),
        )
        .join_from(inserted, User, User.id == inserted.c.inserted_author_id)
        .add_cte(_update_comments_count(post_id, 1))
    )
    return statement.add_cte(_increment_replies(parent_id)) if is_reply else statement


@prepared(RowId)
def update_comment_body(comment_id: UUID, body: str, moment: datetime) -> ReturningUpdate[UUID]:
    """No row if the body is the same."""
    return (
        update(Comment)
        .where(Comment.id == comment_id, Comment.body != body)
        .values(body=body, edited_at=moment)
        .returning(Comment.id)
    )


@prepared(RowId)
def replace_with_tombstone(
    comment_id: UUID, post_id: UUID, parent_id: UUID | None, moment: datetime
) -> AnySelect:
    """Also deletes the likes and decrements the counters of the post and the parent."""
    tombstone = (
        update(Comment)
        .where(Comment.id == comment_id)
        .values(author_id=null(), body=null(), deleted_at=moment, edited_at=null(), likes_count=0)
        .returning(Comment.id)
        .cte("tombstone")
    )
    deleted_likes = delete(CommentLike).where(CommentLike.comment_id == comment_id)
    decremented = (
        update(Comment)
        .where(Comment.id == parent_id)
        .values(replies_count=Comment.replies_count - 1)
    )
    return select(tombstone.c.id).add_cte(
        deleted_likes.cte("deleted_likes"),
        decremented.cte("decremented"),
        _delete_stored_responses(comment_id),
        _update_comments_count(post_id, -1),
    )


@prepared(RowId)
def delete_with_tombstones(comment_id: UUID, post_id: UUID, parent_id: UUID | None) -> AnySelect:
    """Delete a comment without replies, and the tombstones above it that have no other reply."""
    orphaned = _orphaned_ancestors(comment_id)
    deleted = (
        delete(Comment)
        .where(Comment.id.in_(select(orphaned.c.id)))
        .returning(Comment.id)
        .cte("deleted")
    )
    survivor = select(orphaned.c.parent_id).order_by(orphaned.c.depth).limit(1).scalar_subquery()
    direct_reply = case((Comment.id == parent_id, 1), else_=0)
    decremented = (
        update(Comment)
        .where(Comment.id == survivor)
        .values(
            children_count=Comment.children_count - 1,
            replies_count=Comment.replies_count - direct_reply,
        )
    )
    return (
        select(deleted.c.id)
        .where(deleted.c.id == comment_id)
        .add_cte(
            decremented.cte("decremented"),
            _delete_stored_responses(comment_id),
            _update_comments_count(post_id, -1),
        )
    )


def _increment_replies(parent_id: UUID | None) -> CTE:
    return (
        update(Comment)
        .where(Comment.id == parent_id)
        .values(replies_count=Comment.replies_count + 1, children_count=Comment.children_count + 1)
        .cte("parent")
    )


def _orphaned_ancestors(comment_id: UUID) -> CTE:
    """The comment and the tombstones directly above it that have no other reply, recursively."""
    ancestor = aliased(Comment)
    orphaned = (
        select(Comment.id, Comment.parent_id, Comment.depth)
        .where(Comment.id == comment_id)
        .cte("orphaned", recursive=True)
    )
    return orphaned.union_all(
        select(ancestor.id, ancestor.parent_id, ancestor.depth).where(
            ancestor.id == orphaned.c.parent_id,
            ancestor.deleted_at.isnot(None),
            ancestor.children_count == 1,
        )
    )


def _update_comments_count(post_id: UUID, step: int) -> CTE:
    post = update(Post).where(Post.id == post_id)
    return post.values(comments_count=Post.comments_count + step).cte("post")


def _delete_stored_responses(comment_id: UUID) -> CTE:
    """Without this, a repeated request could return the deleted comment."""
    return (
        delete(IdempotencyKey)
        .where(IdempotencyKey.subject_id == comment_id)
        .cte("deleted_responses")
    )

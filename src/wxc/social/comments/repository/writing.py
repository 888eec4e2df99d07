"""SQL that changes threads; what it changes has been locked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CTE, case, delete, false, insert, null, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import Comment, CommentLike, IdempotencyKey, Post, RowId, User
from wxc.social.comments.repository.reading import CommentRow, written_columns
from wxc.social.posts.repository import AUTHOR


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
    """Write a comment and count it; the post and the parent are locked."""
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
    added = (
        insert(Comment)
        .from_select(list(values), comment, include_defaults=False)
        .returning(*written_columns(), Comment.author_id.label("writer_id"))
        .cte("added")
    )
    statement: AnySelect = (
        select(
            *written_columns(added.c), *AUTHOR, false().label("liked"), false().label("has_more")
        )
        .join_from(added, User, User.id == added.c.writer_id)
        .add_cte(_counted(post_id, 1))
    )
    return statement.add_cte(_replied(parent_id)) if is_reply else statement


@prepared(RowId)
def update_comment_body(comment_id: UUID, body: str, moment: datetime) -> ReturningUpdate[UUID]:
    """Replace the body."""
    return (
        update(Comment)
        .where(Comment.id == comment_id)
        .values(body=body, edited_at=moment)
        .returning(Comment.id)
    )


@prepared(RowId)
def replace_with_tombstone(
    comment_id: UUID, post_id: UUID, parent_id: UUID | None, moment: datetime
) -> AnySelect:
    """Leave a tombstone where the comment was, and count one less."""
    erased = (
        update(Comment)
        .where(Comment.id == comment_id)
        .values(author_id=null(), body=null(), deleted_at=moment, edited_at=null(), likes_count=0)
        .returning(Comment.id)
        .cte("erased")
    )
    unliked = delete(CommentLike).where(CommentLike.comment_id == comment_id)
    decremented = (
        update(Comment)
        .where(Comment.id == parent_id)
        .values(replies_count=Comment.replies_count - 1)
    )
    return select(erased.c.id).add_cte(
        unliked.cte("unliked"),
        decremented.cte("decremented"),
        _forgotten(comment_id),
        _counted(post_id, -1),
    )


@prepared(RowId)
def delete_with_tombstones(comment_id: UUID, post_id: UUID, parent_id: UUID | None) -> AnySelect:
    """Delete the comment with the tombstones above it whose last reply it was."""
    orphaned = _orphaned_ancestors(comment_id)
    deleted = (
        delete(Comment)
        .where(Comment.id.in_(select(orphaned.c.id)))
        .returning(Comment.id)
        .cte("deleted")
    )
    survivor = select(orphaned.c.parent_id).order_by(orphaned.c.depth).limit(1).scalar_subquery()
    was_its_reply = case((Comment.id == parent_id, 1), else_=0)
    decremented = (
        update(Comment)
        .where(Comment.id == survivor)
        .values(
            children_count=Comment.children_count - 1,
            replies_count=Comment.replies_count - was_its_reply,
        )
    )
    return (
        select(deleted.c.id)
        .where(deleted.c.id == comment_id)
        .add_cte(decremented.cte("decremented"), _forgotten(comment_id), _counted(post_id, -1))
    )


def _replied(parent_id: UUID | None) -> CTE:
    return (
        update(Comment)
        .where(Comment.id == parent_id)
        .values(replies_count=Comment.replies_count + 1, children_count=Comment.children_count + 1)
        .cte("replied")
    )


def _orphaned_ancestors(comment_id: UUID) -> CTE:
    """The comment, and the unbroken line of tombstones above it that have no other reply."""
    above = aliased(Comment)
    orphaned = (
        select(Comment.id, Comment.parent_id, Comment.depth)
        .where(Comment.id == comment_id)
        .cte("orphaned", recursive=True)
    )
    return orphaned.union_all(
        select(above.id, above.parent_id, above.depth).where(
            above.id == orphaned.c.parent_id,
            above.deleted_at.isnot(None),
            above.children_count == 1,
        )
    )


def _counted(post_id: UUID, step: int) -> CTE:
    post = update(Post).where(Post.id == post_id)
    return post.values(comments_count=Post.comments_count + step).cte("counted")


def _forgotten(comment_id: UUID) -> CTE:
    """Deletes kept answers, so that a repeated request does not return a deleted comment."""
    return delete(IdempotencyKey).where(IdempotencyKey.subject_id == comment_id).cte("forgotten")

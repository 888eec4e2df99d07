"""A comment is visible if its post, its author and the authors of all its ancestors are.

Tombstones have no author: they are visible and do not hide their replies.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, exists, not_, or_, select
from sqlalchemy.orm import aliased

from wxc.db.keyset import AnySelect
from wxc.models import Comment, Post, User
from wxc.social.users.repository import Entity
from wxc.social.users.visibility import Moment, visible_to


def visible_comment(
    statement: AnySelect, comment_id: UUID, viewer_id: UUID | None, *, at: Moment = None
) -> AnySelect:
    """Restrict `statement` to a comment, if the viewer can see it and its post.

    With `at`, blocks after that moment do not count.
    """
    return comment_with_visible_ancestors(statement, comment_id, viewer_id, at=at).where(
        is_author_visible(viewer_id, Comment, at=at)
    )


def comment_with_visible_ancestors(
    statement: AnySelect, comment_id: UUID, viewer_id: UUID | None, *, at: Moment = None
) -> AnySelect:
    """Restrict `statement` to a comment, if the viewer can see its post and all its ancestors.

    `User` is joined as the author of the comment, whose visibility is not checked.
    """
    post_author = aliased(User)
    return (
        statement.select_from(Comment)
        .join(Post, Post.id == Comment.post_id)
        .join(post_author, post_author.id == Post.author_id)
        .outerjoin(User, User.id == Comment.author_id)
        .where(
            Comment.id == comment_id,
            visible_to(viewer_id, post_author, at=at),
            all_ancestors_visible(viewer_id, comment_id, at=at),
        )
    )


def is_author_visible(
    viewer_id: UUID | None, comment: Entity, *, at: Moment = None
) -> ColumnElement[bool]:
    """Whether the viewer can see the author of `comment`; true for a tombstone.

    A scalar subquery, executed for each row: with a join or EXISTS the planner may scan all users.
    """
    author = aliased(User)
    is_visible = select(visible_to(viewer_id, author, at=at)).where(author.id == comment.author_id)
    return or_(comment.author_id.is_(None), is_visible.scalar_subquery())


def all_ancestors_visible(
    viewer_id: UUID | None, comment_id: UUID, *, at: Moment = None
) -> ColumnElement[bool]:
    """Whether the viewer can see the authors of all ancestors of a comment (at most 50)."""
    parent, reply, next_parent = aliased(Comment), aliased(Comment), aliased(Comment)
    ancestors = (
        select(parent.parent_id, parent.author_id)
        .join(reply, reply.parent_id == parent.id)
        .where(reply.id == comment_id)
        .cte("ancestors", recursive=True)
    )
    ancestors = ancestors.union_all(
        select(next_parent.parent_id, next_parent.author_id).where(
            next_parent.id == ancestors.c.parent_id
        )
    )
    is_visible = is_author_visible(viewer_id, ancestors.c, at=at)
    return not_(exists(select(ancestors.c.parent_id).where(not_(is_visible))))

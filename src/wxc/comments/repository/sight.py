"""Who sees which comment: what hides one hides all below it, and a tombstone hides nothing."""

from uuid import UUID

from sqlalchemy import ColumnElement, exists, not_, or_, select
from sqlalchemy.orm import aliased

from wxc.core.database import AnyEntity, AnySelect
from wxc.models import Comment, Post, User
from wxc.users.visibility import visible_to


def in_sight(statement: AnySelect, comment_id: UUID, viewer_id: UUID | None) -> AnySelect:
    """`statement` about the one comment, if post and comment are there for the viewer."""
    return below_sight(statement, comment_id, viewer_id).where(is_shown(viewer_id, Comment))


def below_sight(statement: AnySelect, comment_id: UUID, viewer_id: UUID | None) -> AnySelect:
    """The same if all that the comment is below is there, joined to its author if it has one."""
    owner = aliased(User)
    return (
        statement.select_from(Comment)
        .join(Post, Post.id == Comment.post_id)
        .join(owner, owner.id == Post.author_id)
        .outerjoin(User, User.id == Comment.author_id)
        .where(
            Comment.id == comment_id,
            visible_to(viewer_id, owner),
            nobody_hidden_above(viewer_id, comment_id),
        )
    )


def is_shown(viewer_id: UUID | None, comment: AnyEntity) -> ColumnElement[bool]:
    """Whether the author of `comment`, a row that has an `author_id`, is there for the viewer.

    Asked row by row: as a join, or as EXISTS, it invites the planner to read all members first.
    """
    author = aliased(User)
    is_visible = select(visible_to(viewer_id, author)).where(author.id == comment.author_id)
    return or_(comment.author_id.is_(None), is_visible.scalar_subquery())


def nobody_hidden_above(viewer_id: UUID | None, comment_id: UUID) -> ColumnElement[bool]:
    """Whether all above the comment, at most 50, are there for the viewer."""
    parent, reply, further = aliased(Comment), aliased(Comment), aliased(Comment)
    above = (
        select(parent.parent_id, parent.author_id)
        .join(reply, reply.parent_id == parent.id)
        .where(reply.id == comment_id)
        .cte("above", recursive=True)
    )
    above = above.union_all(
        select(further.parent_id, further.author_id).where(further.id == above.c.parent_id)
    )
    return not_(exists(select(above.c.parent_id).where(not_(is_shown(viewer_id, above.c)))))

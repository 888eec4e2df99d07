"""Who sees which comment: a hidden comment hides all below it, a tombstone hides nothing."""

from uuid import UUID

from sqlalchemy import ColumnElement, exists, not_, or_, select
from sqlalchemy.orm import aliased

from wxc.db.keyset import AnySelect
from wxc.models import Comment, Post, User
from wxc.social.users.repository import Entity
from wxc.social.users.visibility import visible_to


def in_sight(statement: AnySelect, comment_id: UUID, viewer_id: UUID | None) -> AnySelect:
    """`statement` about the one comment, if the viewer may see it and its post."""
    return below_visible(statement, comment_id, viewer_id).where(
        is_author_visible(viewer_id, Comment)
    )


def below_visible(statement: AnySelect, comment_id: UUID, viewer_id: UUID | None) -> AnySelect:
    """The same if the viewer may see all above the comment, joined to its author if it has one."""
    owner = aliased(User)
    return (
        statement.select_from(Comment)
        .join(Post, Post.id == Comment.post_id)
        .join(owner, owner.id == Post.author_id)
        .outerjoin(User, User.id == Comment.author_id)
        .where(
            Comment.id == comment_id,
            visible_to(viewer_id, owner),
            all_ancestors_visible(viewer_id, comment_id),
        )
    )


def is_author_visible(viewer_id: UUID | None, comment: Entity) -> ColumnElement[bool]:
    """Whether the viewer may see the author of `comment`; true for a tombstone, which has none.

    It is a scalar for each row: a join or EXISTS invites the planner to read all members first.
    """
    author = aliased(User)
    is_visible = select(visible_to(viewer_id, author)).where(author.id == comment.author_id)
    return or_(comment.author_id.is_(None), is_visible.scalar_subquery())


def all_ancestors_visible(viewer_id: UUID | None, comment_id: UUID) -> ColumnElement[bool]:
    """Whether the viewer may see all comments above this one, 50 at most."""
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
    return not_(
        exists(select(above.c.parent_id).where(not_(is_author_visible(viewer_id, above.c))))
    )

"""Who sees which comment: what hides one hides all below it, and a tombstone hides nothing."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, not_, or_, select
from sqlalchemy.orm import aliased

from wxc.models import Comment, User
from wxc.users.visibility import visible_to


def is_shown(viewer_id: UUID | None, comment: Any, author: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Whether the author of `comment`, outer-joined as `author`, keeps it from the viewer."""
    return or_(comment.author_id.is_(None), visible_to(viewer_id, author))


def nobody_hidden_above(viewer_id: UUID | None, comment_id: UUID) -> ColumnElement[bool]:
    """Whether all above the comment, at most 50, are there for the viewer."""
    parent, reply, further, person = (
        aliased(Comment),
        aliased(Comment),
        aliased(Comment),
        aliased(User),
    )
    above = (
        select(parent.parent_id, parent.author_id)
        .join(reply, reply.parent_id == parent.id)
        .where(reply.id == comment_id)
        .cte("above", recursive=True)
    )
    above = above.union_all(
        select(further.parent_id, further.author_id).where(further.id == above.c.parent_id)
    )
    is_hidden = exists().where(person.id == above.c.author_id, not_(visible_to(viewer_id, person)))
    return not_(is_hidden)

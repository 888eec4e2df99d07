from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import aliased

from wxc.models import Notification, Post, User
from wxc.social.users.repository import Entity
from wxc.social.users.visibility import has_muted, visible_to


def is_shown(recipient_id: UUID, notification: Entity = Notification) -> ColumnElement[bool]:
    """Whether the recipient can see the notification.

    It is not hidden, its actor is visible and not muted, and the author of its post is visible.
    """
    actor, author, post = aliased(User), aliased(User), aliased(Post)
    # A scalar subquery is one look-up per row; for EXISTS the planner scans all users first.
    is_actor_shown = (
        select(and_(visible_to(recipient_id, actor), not_(has_muted(recipient_id, actor.id))))
        .where(actor.id == notification.actor_id)
        .scalar_subquery()
    )
    is_post_visible = (
        select(visible_to(recipient_id, author))
        .select_from(post)
        .join(author, author.id == post.author_id)
        .where(post.id == notification.post_id)
        .scalar_subquery()
    )
    return and_(
        notification.hidden_at.is_(None),
        or_(notification.actor_id.is_(None), is_actor_shown),
        or_(notification.post_id.is_(None), is_post_visible),
    )

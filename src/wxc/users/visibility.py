"""The one predicate that decides who is there for whom; every read carries it in its SQL."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, not_

from wxc.core.database import IdColumn
from wxc.models import Block, Mute, User

UserEntity = type[User] | Any  # the table or an alias of it
UserKey = UUID | IdColumn


def visible_to(viewer_id: UUID | None, user: UserEntity = User) -> ColumnElement[bool]:
    """`user` stands, and neither of the two has blocked the other."""
    stands: ColumnElement[bool] = user.suspended_at.is_(None)
    if viewer_id is None:
        return stands
    return and_(
        stands, not_(has_blocked(viewer_id, user.id)), not_(has_blocked(user.id, viewer_id))
    )


def known_to(viewer_id: UUID, user: UserEntity = User) -> ColumnElement[bool]:
    """As `visible_to`, and whom the viewer has blocked: they may be named, to be unblocked."""
    return and_(user.suspended_at.is_(None), not_(has_blocked(user.id, viewer_id)))


def has_blocked(blocker_id: UserKey, blocked_id: UserKey) -> ColumnElement[bool]:
    """Whether the one has blocked the other."""
    return exists().where(Block.blocker_id == blocker_id, Block.blocked_id == blocked_id)


def has_muted(muter_id: UserKey, muted_id: UserKey) -> ColumnElement[bool]:
    """Whether the one has muted the other."""
    return exists().where(Mute.muter_id == muter_id, Mute.muted_id == muted_id)

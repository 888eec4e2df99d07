"""SQL predicates for the users that a viewer can see; every read applies one of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, not_
from sqlalchemy.orm import aliased

from wxc.db.keyset import IdColumn
from wxc.db.prepared import bind
from wxc.models import Block, Mute, User

UserEntity = type[User] | Any  # the table or an alias of it
UserKey = UUID | IdColumn | None
Moment = SQLColumnExpression[datetime] | None


def visible_to(
    viewer_id: UUID | None, user: UserEntity = User, *, at: Moment = None
) -> ColumnElement[bool]:
    """`user` is active, and neither the viewer nor `user` has blocked the other.

    With `at`, blocks after that moment do not count.
    """
    return (
        is_active(user)
        if viewer_id is None
        else and_(is_active(user), _has_no_block_with(viewer_id, user.id, at))
    )


def visible_by_id(viewer_id: UUID, user_id: IdColumn) -> ColumnElement[bool]:
    """Like `visible_to`, for a query that does not read the user's row.

    A look-up in the partial index of suspended users costs a fraction of reading the row.
    """
    suspended = aliased(User)
    is_suspended = exists().where(suspended.id == user_id, suspended.suspended_at.isnot(None))
    return and_(not_(is_suspended), _has_no_block_with(viewer_id, user_id))


def is_anonymous(viewer_id: UUID | None) -> ColumnElement[bool]:
    """For prepared queries, in which the viewer's id is a parameter."""
    return bind(viewer_id).is_(None)


def is_active(user: UserEntity = User) -> ColumnElement[bool]:
    """`user` is not suspended; a deleted account stays suspended."""
    is_not_suspended: ColumnElement[bool] = user.suspended_at.is_(None)
    return is_not_suspended


def viewable_or_blocked_by(viewer_id: UUID | None, user: UserEntity = User) -> ColumnElement[bool]:
    """Like `visible_to`, but also true for users blocked by the viewer, who may unblock them."""
    return and_(is_active(user), not_(has_blocked(user.id, viewer_id)))


def has_blocked(blocker_id: UserKey, blocked_id: UserKey, at: Moment = None) -> ColumnElement[bool]:
    block = exists().where(Block.blocker_id == blocker_id, Block.blocked_id == blocked_id)
    return block if at is None else block.where(Block.created_at <= at)


def has_muted(muter_id: UserKey, muted_id: UserKey) -> ColumnElement[bool]:
    return exists().where(Mute.muter_id == muter_id, Mute.muted_id == muted_id)


def _has_no_block_with(viewer_id: UUID, user_id: UserKey, at: Moment = None) -> ColumnElement[bool]:
    return and_(
        not_(has_blocked(viewer_id, user_id, at)), not_(has_blocked(user_id, viewer_id, at))
    )

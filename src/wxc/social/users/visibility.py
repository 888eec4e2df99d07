"""The one predicate that decides who is there for whom; every read carries it in its SQL."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, not_
from sqlalchemy.orm import aliased

from wxc.db.keyset import IdColumn
from wxc.db.prepared import bind
from wxc.models import Block, Mute, User

UserEntity = type[User] | Any  # the table or an alias of it
UserKey = UUID | IdColumn | None


def visible_to(viewer_id: UUID | None, user: UserEntity = User) -> ColumnElement[bool]:
    """`user` stands, and neither of the two has blocked the other."""
    return stands(user) if viewer_id is None else and_(stands(user), _is_free(viewer_id, user.id))


def visible_by_id(viewer_id: UUID, user_id: IdColumn) -> ColumnElement[bool]:
    """As `visible_to`, of an account whose row is not read anyway.

    The few who are suspended have an index of their own: to look there costs a fraction of a row.
    """
    suspended = aliased(User)
    is_suspended = exists().where(suspended.id == user_id, suspended.suspended_at.isnot(None))
    return and_(not_(is_suspended), _is_free(viewer_id, user_id))


def is_anonymous(viewer_id: UUID | None) -> ColumnElement[bool]:
    """Whether nobody is signed in; of a parameter of a prepared query."""
    return bind(viewer_id).is_(None)


def stands(user: UserEntity = User) -> ColumnElement[bool]:
    """`user` is there for anybody at all."""
    is_standing: ColumnElement[bool] = user.suspended_at.is_(None)
    return is_standing


def known_to(viewer_id: UUID | None, user: UserEntity = User) -> ColumnElement[bool]:
    """As `visible_to`, and whom the viewer has blocked: they may be named, to be unblocked."""
    return and_(stands(user), not_(has_blocked(user.id, viewer_id)))


def has_blocked(blocker_id: UserKey, blocked_id: UserKey) -> ColumnElement[bool]:
    """Whether the one has blocked the other."""
    return exists().where(Block.blocker_id == blocker_id, Block.blocked_id == blocked_id)


def has_muted(muter_id: UserKey, muted_id: UserKey) -> ColumnElement[bool]:
    """Whether the one has muted the other."""
    return exists().where(Mute.muter_id == muter_id, Mute.muted_id == muted_id)


def _is_free(viewer_id: UUID, user_id: UserKey) -> ColumnElement[bool]:
    """Neither has blocked the other."""
    return and_(not_(has_blocked(viewer_id, user_id)), not_(has_blocked(user_id, viewer_id)))

"""Locks on a pair of users, which serialise concurrent follows, blocks and mutes of the pair."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import User
from wxc.social.users.repository import has_username
from wxc.social.users.visibility import has_blocked, is_active


class LockedUser(NamedTuple):
    id: UUID
    lock: None
    """The lock function returns void."""


class RelationRow(NamedTuple):
    blocked_by: bool
    """The other has blocked the user."""
    blocking: bool
    """The user has blocked the other."""


@prepared(LockedUser)
def lock_pair(user_id: UUID, username: str) -> AnySelect:
    """Lock the pair of a user and the user with this folded username until the transaction ends.

    It is a separate statement, so that the next one sees the commit of the previous lock holder.
    """
    pair = func.concat(func.least(User.id, user_id), func.greatest(User.id, user_id))
    lock = func.pg_advisory_xact_lock(func.hashtextextended(pair, 0))
    return select(User.id, lock.label("lock")).where(has_username(username), is_active())


@prepared(RelationRow)
def lock_user_rows(user_id: UUID, other_id: UUID) -> AnySelect:
    """Lock both users' rows; returns the relation once for each of them that is still active.

    Rows are locked in the order of their ids, so that users who follow each other in a cycle
    cannot deadlock, and before the follow's id is generated, so that no lock delays its COMMIT.
    """
    return (
        select(
            has_blocked(other_id, user_id).label("blocked_by"),
            has_blocked(user_id, other_id).label("blocking"),
        )
        .where(User.id.in_((user_id, other_id)), User.suspended_at.is_(None))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )

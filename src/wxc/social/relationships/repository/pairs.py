"""SQL that locks two members against one another, so that a block and a follow take turns."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import User
from wxc.social.users.repository import named
from wxc.social.users.visibility import has_blocked, stands


class LockedMember(NamedTuple):
    """The other member of a pair that is locked."""

    id: UUID
    lock: None
    """The value of the locking function, which has none."""


class RelationRow(NamedTuple):
    """What stands between the member and another."""

    blocked_by: bool
    """The other has blocked the member."""
    blocking: bool
    """The member has blocked the other."""


@prepared(LockedMember)
def lock_pair(me_id: UUID, username: str) -> AnySelect:
    """Lock the pair of the member and the one of that folded name until the transaction ends.

    It is a statement of its own, so that the next one sees what the previous holder committed.
    """
    pair = func.concat(func.least(User.id, me_id), func.greatest(User.id, me_id))
    lock = func.pg_advisory_xact_lock(func.hashtextextended(pair, 0))
    return select(User.id, lock.label("lock")).where(named(username), stands())


@prepared(RelationRow)
def lock_members(me_id: UUID, other_id: UUID) -> AnySelect:
    """Lock both members' rows; the relation in a row for each of the two that is still there.

    They are locked in the order of their ids, so that members who follow one another in a circle
    cannot deadlock, and before a follow's id is drawn, so that nothing waits after that.
    """
    return (
        select(
            has_blocked(other_id, me_id).label("blocked_by"),
            has_blocked(me_id, other_id).label("blocking"),
        )
        .where(User.id.in_((me_id, other_id)), User.suspended_at.is_(None))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )

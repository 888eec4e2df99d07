"""SQL for mutes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Insert, delete, not_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import prepared
from wxc.models import Mute, User
from wxc.social.relationships.repository.edges import EdgeId, EdgeRow
from wxc.social.users.repository import summary
from wxc.social.users.visibility import has_blocked, stands


@prepared(EdgeRow)
def muted_by(me_id: UUID, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` members whom the member mutes, but not those who block them."""
    mutes: AnySelect = (
        select(Mute.id.label("edge_id"), *summary())
        .join(User, User.id == Mute.muted_id)
        .where(Mute.muter_id == me_id, not_(has_blocked(Mute.muted_id, me_id)), stands())
    )
    return page.window(mutes, Mute.id)


@prepared(EdgeId)
def insert_mute(
    mute_id: UUID, me_id: UUID, other_id: UUID, moment: datetime
) -> ReturningInsert[UUID]:
    """Mute the other member; no row if they are muted already."""
    mute: Insert = (
        insert(Mute)
        .values(id=mute_id, muter_id=me_id, muted_id=other_id, created_at=moment)
        .on_conflict_do_nothing()
    )
    return mute.returning(Mute.id)


@prepared(EdgeId)
def delete_mute(me_id: UUID, other_id: UUID) -> ReturningDelete[UUID]:
    """Unmute the other member."""
    return delete(Mute).where(Mute.muter_id == me_id, Mute.muted_id == other_id).returning(Mute.id)

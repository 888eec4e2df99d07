from datetime import datetime
from uuid import UUID

from sqlalchemy import Insert, delete, not_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import prepared
from wxc.models import Mute, RowId, User
from wxc.social.relationships.repository.edges import EdgeRow
from wxc.social.users.repository import summary_columns
from wxc.social.users.visibility import has_blocked, is_active


@prepared(EdgeRow)
def muted_by(muter_id: UUID, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` muted users, except those who block the muter."""
    mutes: AnySelect = (
        select(Mute.id.label("edge_id"), *summary_columns())
        .join(User, User.id == Mute.muted_id)
        .where(Mute.muter_id == muter_id, not_(has_blocked(Mute.muted_id, muter_id)), is_active())
    )
    return page.window(mutes, Mute.id)


@prepared(RowId)
def insert_mute(
    mute_id: UUID, muter_id: UUID, muted_id: UUID, moment: datetime
) -> ReturningInsert[UUID]:
    """No row if the mute exists."""
    mute: Insert = (
        insert(Mute)
        .values(id=mute_id, muter_id=muter_id, muted_id=muted_id, created_at=moment)
        .on_conflict_do_nothing()
    )
    return mute.returning(Mute.id)


@prepared(RowId)
def delete_mute(muter_id: UUID, muted_id: UUID) -> ReturningDelete[UUID]:
    return (
        delete(Mute).where(Mute.muter_id == muter_id, Mute.muted_id == muted_id).returning(Mute.id)
    )

"""SQL for blocks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Insert, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import prepared
from wxc.models import Block, User
from wxc.social.relationships.repository.edges import EdgeId, EdgeRow
from wxc.social.users.repository import summary
from wxc.social.users.visibility import stands


@prepared(EdgeRow)
def blocked_by(me_id: UUID, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` members whom the member blocks, also those who block them in turn."""
    blocks: AnySelect = (
        select(Block.id.label("edge_id"), *summary())
        .join(User, User.id == Block.blocked_id)
        .where(Block.blocker_id == me_id, stands())
    )
    return page.window(blocks, Block.id)


@prepared(EdgeId)
def insert_block(
    block_id: UUID, me_id: UUID, other_id: UUID, moment: datetime
) -> ReturningInsert[UUID]:
    """Block the other member; no row if they are blocked already."""
    block: Insert = (
        insert(Block)
        .values(id=block_id, blocker_id=me_id, blocked_id=other_id, created_at=moment)
        .on_conflict_do_nothing()
    )
    return block.returning(Block.id)


@prepared(EdgeId)
def delete_block(me_id: UUID, other_id: UUID) -> ReturningDelete[UUID]:
    """Unblock the other member."""
    return (
        delete(Block)
        .where(Block.blocker_id == me_id, Block.blocked_id == other_id)
        .returning(Block.id)
    )

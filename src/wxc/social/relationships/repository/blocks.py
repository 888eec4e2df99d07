from datetime import datetime
from uuid import UUID

from sqlalchemy import Insert, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import prepared
from wxc.models import Block, RowId, User
from wxc.social.relationships.repository.edges import EdgeRow
from wxc.social.users.repository import summary_columns
from wxc.social.users.visibility import is_active


@prepared(EdgeRow)
def blocked_by(blocker_id: UUID, *, page: PageRequest) -> AnySelect:
    """Up to `limit + 1` blocked users, including those who also block the blocker."""
    blocks: AnySelect = (
        select(Block.id.label("edge_id"), *summary_columns())
        .join(User, User.id == Block.blocked_id)
        .where(Block.blocker_id == blocker_id, is_active())
    )
    return page.window(blocks, Block.id)


@prepared(RowId)
def insert_block(
    block_id: UUID, blocker_id: UUID, blocked_id: UUID, moment: datetime
) -> ReturningInsert[UUID]:
    """No row if the block exists."""
    block: Insert = (
        insert(Block)
        .values(id=block_id, blocker_id=blocker_id, blocked_id=blocked_id, created_at=moment)
        .on_conflict_do_nothing()
    )
    return block.returning(Block.id)


@prepared(RowId)
def delete_block(blocker_id: UUID, blocked_id: UUID) -> ReturningDelete[UUID]:
    return (
        delete(Block)
        .where(Block.blocker_id == blocker_id, Block.blocked_id == blocked_id)
        .returning(Block.id)
    )

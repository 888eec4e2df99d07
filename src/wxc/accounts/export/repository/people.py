from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from wxc.accounts.export.repository.batches import batch
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import Block, Follow, Mute, User
from wxc.social.users.visibility import viewable_or_blocked_by


class PersonRow(NamedTuple):
    """Another user; `username` is None if the account cannot see them."""

    user_id: UUID
    username: str | None
    created_at: datetime
    key: UUID


@prepared(PersonRow)
def following(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    edge = aliased(Follow)
    return _people(edge, edge.follower_id, edge.followed_id, user_id, after, limit)


@prepared(PersonRow)
def followers(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    edge = aliased(Follow)
    return _people(edge, edge.followed_id, edge.follower_id, user_id, after, limit)


@prepared(PersonRow)
def blocks(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    edge = aliased(Block)  # an alias, because `viewable_or_blocked_by` also reads `Block`
    return _people(edge, edge.blocker_id, edge.blocked_id, user_id, after, limit)


@prepared(PersonRow)
def mutes(user_id: UUID, after: UUID, *, limit: int) -> AnySelect:
    edge = aliased(Mute)
    return _people(edge, edge.muter_id, edge.muted_id, user_id, after, limit)


def _people(
    edge: Any,  # noqa: ANN401 - an alias of one of three tables
    own_id: Any,  # noqa: ANN401
    other_id: Any,  # noqa: ANN401
    user_id: UUID,
    after: UUID,
    limit: int,
) -> AnySelect:
    query = (
        select(other_id.label("user_id"), User.username, edge.created_at)
        .select_from(edge)
        .outerjoin(User, and_(User.id == other_id, viewable_or_blocked_by(user_id)))
        .where(own_id == user_id)
    )
    return batch(query, edge.id, after, limit)

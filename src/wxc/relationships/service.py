"""Following, blocking, muting: who may, and what follows from it."""

from collections.abc import Sequence
from uuid import UUID

from wxc.auth.context import Principal
from wxc.core.database import AnyRow, Reader
from wxc.core.errors import Refusal
from wxc.core.events import announce
from wxc.db.keyset import PageRequest
from wxc.db.session import Session
from wxc.notifications.service import forget_between, topic_of
from wxc.relationships.errors import CannotBlockSelf, CannotFollowSelf, CannotMuteSelf
from wxc.relationships.repository import (
    BlockRepository,
    FollowReader,
    FollowRepository,
    MuteRepository,
    OwnEdgeReader,
    PairRepository,
)
from wxc.relationships.schemas import BlockState, FollowState, MuteState
from wxc.users.errors import BlockedByYou, UserNotFound
from wxc.users.schemas import UserPage
from wxc.users.service import people_page


async def follow(session: Session, me: Principal, username: str) -> FollowState:
    """Make `me` follow that person; following twice changes nothing and notifies once."""
    other_id = await _lock_followable(session, me.id, username)
    row = await FollowRepository(session).add(me.id, other_id)
    if row.told is not None:
        announce(session, topic_of(row.told))
    return FollowState(following=True, followers_count=row.followers_count)


async def unfollow(session: Session, me: Principal, username: str) -> FollowState:
    """Make `me` no longer follow that person; doing it twice changes nothing."""
    other_id = await _lock_followable(session, me.id, username)
    count = await FollowRepository(session).remove(me.id, other_id)
    return FollowState(following=False, followers_count=count)


async def list_followers(
    reader: Reader, username: str, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Who follows that person, the newest follower first."""
    rows = await FollowReader(reader).followers_of(username, viewer_id, page)
    return _user_page(rows, page)


async def list_following(
    reader: Reader, username: str, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Whom that person follows, the newest first."""
    rows = await FollowReader(reader).followed_by(username, viewer_id, page)
    return _user_page(rows, page)


async def block(session: Session, me: Principal, username: str) -> BlockState:
    """Hide the two from one another and sever what each follows; twice changes nothing."""
    blocks = BlockRepository(session)
    other_id = await _lock_known(session, me.id, username, CannotBlockSelf)
    if await blocks.add(me.id, other_id):
        await blocks.sever(me.id, other_id)
        await forget_between(session, me.id, other_id)
    return BlockState(blocking=True)


async def unblock(session: Session, me: Principal, username: str) -> BlockState:
    """Lift the block; what it has severed stays so."""
    other_id = await _lock_known(session, me.id, username, CannotBlockSelf)
    await BlockRepository(session).remove(me.id, other_id)
    return BlockState(blocking=False)


async def mute(session: Session, me: Principal, username: str) -> MuteState:
    """Keep that person out of `me`'s feed and notifications; twice changes nothing."""
    other_id = await _lock_known(session, me.id, username, CannotMuteSelf)
    await MuteRepository(session).add(me.id, other_id)
    return MuteState(muting=True)


async def unmute(session: Session, me: Principal, username: str) -> MuteState:
    """Hear that person again."""
    other_id = await _lock_known(session, me.id, username, CannotMuteSelf)
    await MuteRepository(session).remove(me.id, other_id)
    return MuteState(muting=False)


async def list_blocks(reader: Reader, me: Principal, page: PageRequest) -> UserPage:
    """Whom `me` blocks, the newest first."""
    return _user_page(await OwnEdgeReader(reader).blocked_by(me.id, page), page)


async def list_mutes(reader: Reader, me: Principal, page: PageRequest) -> UserPage:
    """Whom `me` mutes, the newest first."""
    return _user_page(await OwnEdgeReader(reader).muted_by(me.id, page), page)


async def _lock_followable(session: Session, me_id: UUID, username: str) -> UUID:
    """Whom `me` may follow, the pair locked; raises the three refusals of following."""
    other_id, relation = await _lock_pair(session, me_id, username, CannotFollowSelf)
    if relation.hidden:
        raise UserNotFound
    if relation.blocking:
        raise BlockedByYou
    return other_id


async def _lock_known(
    session: Session, me_id: UUID, username: str, oneself: type[Refusal]
) -> UUID:
    """Whom `me` may block or mute: anyone visible, and whom they have blocked already."""
    other_id, relation = await _lock_pair(session, me_id, username, oneself)
    if relation.hidden and not relation.blocking:
        raise UserNotFound
    return other_id


async def _lock_pair(
    session: Session, me_id: UUID, username: str, oneself: type[Refusal]
) -> tuple[UUID, AnyRow]:
    """The other one, and what stands between the two, who are locked against one another."""
    pairs = PairRepository(session)
    other_id = await pairs.lock(me_id, username)
    if other_id is None:
        raise UserNotFound
    if other_id == me_id:
        raise oneself
    relation = await pairs.relation(me_id, other_id)
    if relation is None:
        raise UserNotFound
    return other_id, relation


def _user_page(rows: Sequence[AnyRow] | None, page: PageRequest) -> UserPage:
    if rows is None:
        raise UserNotFound
    cut = page.cut(rows, key=lambda row: row.edge_id)
    return people_page(cut)

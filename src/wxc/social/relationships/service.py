"""Following, blocking, muting: who may, and what follows from it."""

from collections.abc import Sequence
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.core import clock
from wxc.core.events import announce
from wxc.core.ids import first_id_at
from wxc.db.commits import next_id
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.db.session import Session
from wxc.http.refusals.base import Refusal
from wxc.social.notifications.service import forget_between, topic_of
from wxc.social.relationships.errors import CannotBlockSelf, CannotFollowSelf, CannotMuteSelf
from wxc.social.relationships.repository.blocks import blocked_by, delete_block, insert_block
from wxc.social.relationships.repository.edges import EdgeRow
from wxc.social.relationships.repository.follows import (
    delete_follow,
    delete_follows_between,
    followed_by,
    followers_of,
    insert_follow,
)
from wxc.social.relationships.repository.mutes import delete_mute, insert_mute, muted_by
from wxc.social.relationships.repository.pairs import RelationRow, lock_members, lock_pair
from wxc.social.relationships.schemas import BlockState, FollowState, MuteState
from wxc.social.users.errors import BlockedByYou, UserNotFound
from wxc.social.users.schemas import UserPage
from wxc.social.users.service import people_page


async def follow(session: Session, me: Principal, username: str) -> FollowState:
    """Make `me` follow that member; following twice changes nothing and notifies once."""
    other_id = await _lock_followable(session, me.id, username)
    return FollowState(following=True, followers_count=await add_follow(session, me.id, other_id))


async def add_follow(session: Session, me_id: UUID, other_id: UUID) -> int:
    """The number of followers after a follow; the pair is locked."""
    moment = clock.now()
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    follow_id, notification_id, day_id = next_id(session), next_id(session), first_id_at(midnight)
    (row,) = await session.fetch(
        insert_follow(me_id, other_id, follow_id, notification_id, day_id, moment)
    )
    if row.recipient_id is not None:
        announce(session, topic_of(row.recipient_id))
    return row.followers_count


async def unfollow(session: Session, me: Principal, username: str) -> FollowState:
    """Make `me` no longer follow that member; doing it twice changes nothing."""
    other_id = await _lock_followable(session, me.id, username)
    (row,) = await session.fetch(delete_follow(me.id, other_id))
    return FollowState(following=False, followers_count=row.followers_count)


async def list_followers(
    db: Handle, username: str, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Who follows that member, the newest follower first; raises `UserNotFound`."""
    return _page_of_member(await db.fetch(followers_of(username, viewer_id, page=page)), page)


async def list_following(
    db: Handle, username: str, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Whom that member follows, the newest first; raises `UserNotFound`."""
    return _page_of_member(await db.fetch(followed_by(username, viewer_id, page=page)), page)


async def block(session: Session, me: Principal, username: str) -> BlockState:
    """Hide the two from one another and delete their follows; twice changes nothing."""
    other_id = await _lock_known(session, me.id, username, CannotBlockSelf)
    new = insert_block(next_id(session), me.id, other_id, clock.now())
    if await session.fetch_one(new) is not None:
        await session.fetch(delete_follows_between(me.id, other_id))
        await forget_between(session, me.id, other_id)
    return BlockState(blocking=True)


async def unblock(session: Session, me: Principal, username: str) -> BlockState:
    """Lift the block; the follows that it deleted stay deleted."""
    other_id = await _lock_known(session, me.id, username, CannotBlockSelf)
    await session.fetch_one(delete_block(me.id, other_id))
    return BlockState(blocking=False)


async def mute(session: Session, me: Principal, username: str) -> MuteState:
    """Keep that member out of `me`'s feed and notifications; twice changes nothing."""
    other_id = await _lock_known(session, me.id, username, CannotMuteSelf)
    await session.fetch_one(insert_mute(next_id(session), me.id, other_id, clock.now()))
    return MuteState(muting=True)


async def unmute(session: Session, me: Principal, username: str) -> MuteState:
    """Take the mute back; doing it twice changes nothing."""
    other_id = await _lock_known(session, me.id, username, CannotMuteSelf)
    await session.fetch_one(delete_mute(me.id, other_id))
    return MuteState(muting=False)


async def list_blocks(db: Handle, me: Principal, page: PageRequest) -> UserPage:
    """Whom `me` blocks, the newest first."""
    return _page(await db.fetch(blocked_by(me.id, page=page)), page)


async def list_mutes(db: Handle, me: Principal, page: PageRequest) -> UserPage:
    """Whom `me` mutes, the newest first."""
    return _page(await db.fetch(muted_by(me.id, page=page)), page)


async def _lock_followable(session: Session, me_id: UUID, username: str) -> UUID:
    """The member whom `me` may follow, the pair locked.

    Raises `UserNotFound`, `CannotFollowSelf` or `BlockedByYou`.
    """
    other_id, relation = await _lock_pair(session, me_id, username, CannotFollowSelf)
    if relation.blocked_by:
        raise UserNotFound
    if relation.blocking:
        raise BlockedByYou
    return other_id


async def _lock_known(session: Session, me_id: UUID, username: str, oneself: type[Refusal]) -> UUID:
    """The member whom `me` may block or mute: one who is visible or blocked already."""
    other_id, relation = await _lock_pair(session, me_id, username, oneself)
    if relation.blocked_by and not relation.blocking:
        raise UserNotFound
    return other_id


async def _lock_pair(
    session: Session, me_id: UUID, username: str, oneself: type[Refusal]
) -> tuple[UUID, RelationRow]:
    """The other member and the relation; the two are locked against one another."""
    other = await session.fetch_one(lock_pair(me_id, username))
    if other is None:
        raise UserNotFound
    if other.id == me_id:
        raise oneself
    relations = await session.fetch(lock_members(me_id, other.id))
    if len(relations) < 2:  # one of the two accounts has gone meanwhile
        raise UserNotFound
    return other.id, relations[0]


def _page_of_member(rows: Sequence[EdgeRow | None], page: PageRequest) -> UserPage:
    if not rows:
        raise UserNotFound
    return _page([row for row in rows if row is not None], page)


def _page(rows: Sequence[EdgeRow], page: PageRequest) -> UserPage:
    return people_page(page.slice(rows, key=lambda row: row.edge_id))

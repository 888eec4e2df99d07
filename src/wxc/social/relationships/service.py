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
from wxc.social.notifications.service.notifying import delete_notifications_between, topic_of
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
from wxc.social.relationships.repository.pairs import RelationRow, lock_pair, lock_user_rows
from wxc.social.relationships.schemas import BlockState, FollowState, MuteState
from wxc.social.users.errors import BlockedByYou, UserNotFound
from wxc.social.users.schemas import UserPage
from wxc.social.users.service import present_user_page


async def follow(session: Session, me: Principal, username: str) -> FollowState:
    """Idempotent; notifies the user once.

    Raises `UserNotFound`, `CannotFollowSelf` or `BlockedByYou`.
    """
    target_id = await _lock_followable(session, me.id, username)
    return FollowState(following=True, followers_count=await add_follow(session, me.id, target_id))


async def add_follow(session: Session, follower_id: UUID, followed_id: UUID) -> int:
    """Insert a follow and return the number of followers; the caller has locked the pair."""
    moment = clock.now()
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    follow_id, notification_id, day_id = next_id(session), next_id(session), first_id_at(midnight)
    (row,) = await session.fetch(
        insert_follow(follower_id, followed_id, follow_id, notification_id, day_id, moment)
    )
    if row.recipient_id is not None:
        announce(session, topic_of(row.recipient_id))
    return row.followers_count


async def unfollow(session: Session, me: Principal, username: str) -> FollowState:
    """Idempotent; raises the same refusals as `follow`."""
    target_id = await _lock_followable(session, me.id, username)
    (row,) = await session.fetch(delete_follow(me.id, target_id))
    return FollowState(following=False, followers_count=row.followers_count)


async def list_followers(
    db: Handle, username: str, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Newest first; raises `UserNotFound`."""
    return _present_page_of_user(await db.fetch(followers_of(username, viewer_id, page=page)), page)


async def list_following(
    db: Handle, username: str, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Newest first; raises `UserNotFound`."""
    return _present_page_of_user(await db.fetch(followed_by(username, viewer_id, page=page)), page)


async def block(session: Session, me: Principal, username: str) -> BlockState:
    """Insert a block; delete the follows and notifications between the two. Idempotent."""
    target_id = await _lock_viewable_or_blocked(session, me.id, username, CannotBlockSelf)
    query = insert_block(next_id(session), me.id, target_id, clock.now())
    if await session.fetch_one(query) is not None:
        await session.fetch(delete_follows_between(me.id, target_id))
        await delete_notifications_between(session, me.id, target_id)
    return BlockState(blocking=True)


async def unblock(session: Session, me: Principal, username: str) -> BlockState:
    """Delete the block; follows are not restored. Idempotent."""
    target_id = await _lock_viewable_or_blocked(session, me.id, username, CannotBlockSelf)
    await session.fetch_one(delete_block(me.id, target_id))
    return BlockState(blocking=False)


async def mute(session: Session, me: Principal, username: str) -> MuteState:
    """Hide the user from the feed and notifications of `me`. Idempotent."""
    target_id = await _lock_viewable_or_blocked(session, me.id, username, CannotMuteSelf)
    await session.fetch_one(insert_mute(next_id(session), me.id, target_id, clock.now()))
    return MuteState(muting=True)


async def unmute(session: Session, me: Principal, username: str) -> MuteState:
    target_id = await _lock_viewable_or_blocked(session, me.id, username, CannotMuteSelf)
    await session.fetch_one(delete_mute(me.id, target_id))
    return MuteState(muting=False)


async def list_blocks(db: Handle, me: Principal, page: PageRequest) -> UserPage:
    return _present_page(await db.fetch(blocked_by(me.id, page=page)), page)


async def list_mutes(db: Handle, me: Principal, page: PageRequest) -> UserPage:
    return _present_page(await db.fetch(muted_by(me.id, page=page)), page)


async def _lock_followable(session: Session, me_id: UUID, username: str) -> UUID:
    """Lock the pair and return the id of a user whom `me` can follow."""
    target_id, relation = await _lock_pair(session, me_id, username, CannotFollowSelf)
    if relation.blocked_by:
        raise UserNotFound
    if relation.blocking:
        raise BlockedByYou
    return target_id


async def _lock_viewable_or_blocked(
    session: Session, me_id: UUID, username: str, self_refusal: type[Refusal]
) -> UUID:
    """Lock the pair and return the id of a user who is visible to or blocked by `me`."""
    target_id, relation = await _lock_pair(session, me_id, username, self_refusal)
    if relation.blocked_by and not relation.blocking:
        raise UserNotFound
    return target_id


async def _lock_pair(
    session: Session, me_id: UUID, username: str, self_refusal: type[Refusal]
) -> tuple[UUID, RelationRow]:
    """The other user's id and the relation; raises `UserNotFound` or `self_refusal`."""
    target = await session.fetch_one(lock_pair(me_id, username))
    if target is None:
        raise UserNotFound
    if target.id == me_id:
        raise self_refusal
    relations = await session.fetch(lock_user_rows(me_id, target.id))
    if len(relations) < 2:  # one of the two accounts has since been deleted or suspended
        raise UserNotFound
    return target.id, relations[0]


def _present_page_of_user(rows: Sequence[EdgeRow | None], page: PageRequest) -> UserPage:
    if not rows:
        raise UserNotFound
    return _present_page([row for row in rows if row is not None], page)


def _present_page(rows: Sequence[EdgeRow], page: PageRequest) -> UserPage:
    return present_user_page(page.slice(rows, key=lambda row: row.edge_id))

"""Following: who may, and what follows from it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Principal
from wxc.core.database import AnyRow, Reader
from wxc.core.pagination import PageRequest
from wxc.relationships.errors import CannotFollowSelf
from wxc.relationships.repository import FollowReader, FollowRepository
from wxc.relationships.schemas import FollowState
from wxc.users.errors import BlockedByYou, UserNotFound
from wxc.users.schemas import UserPage, UserSummary


async def follow(session: AsyncSession, me: Principal, username: str) -> FollowState:
    """Make `me` follow that person; following twice changes nothing."""
    follows = FollowRepository(session)
    other_id = await _lock_pair(follows, me.id, username)
    if await follows.add(me.id, other_id):
        count = await follows.count(me.id, other_id, 1)
    else:
        count = await follows.followers_count(other_id)
    return FollowState(following=True, followers_count=count)


async def unfollow(session: AsyncSession, me: Principal, username: str) -> FollowState:
    """Make `me` no longer follow that person; doing it twice changes nothing."""
    follows = FollowRepository(session)
    other_id = await _lock_pair(follows, me.id, username)
    if await follows.remove(me.id, other_id):
        count = await follows.count(me.id, other_id, -1)
    else:
        count = await follows.followers_count(other_id)
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


async def _lock_pair(follows: FollowRepository, me_id: UUID, username: str) -> UUID:
    """Whom `me` may act on, the pair locked; raises the three refusals of following."""
    other_id = await follows.lock_pair(me_id, username)
    if other_id is None:
        raise UserNotFound
    if other_id == me_id:
        raise CannotFollowSelf
    relation = await follows.relation(me_id, other_id)
    if relation is None or relation.hidden:
        raise UserNotFound
    if relation.blocking:
        raise BlockedByYou
    return other_id


def _user_page(rows: Sequence[AnyRow] | None, page: PageRequest) -> UserPage:
    if rows is None:
        raise UserNotFound
    cut = page.cut(rows, key=lambda row: row.follow_id)
    return UserPage(
        items=[
            UserSummary(
                id=row.id,
                username=row.username,
                display_name=row.display_name,
                avatar_url=row.avatar_url,
            )
            for row in cut.rows
        ],
        next_cursor=cut.next_cursor,
        prev_cursor=cut.prev_cursor,
    )

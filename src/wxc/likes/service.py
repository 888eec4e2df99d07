"""Liking posts: who may, and what follows from it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Principal
from wxc.core.database import Reader
from wxc.core.pagination import PageRequest
from wxc.likes.repository import OF_POSTS, LikeReader, LikeRepository
from wxc.likes.schemas import LikeState
from wxc.notifications import service as notifications
from wxc.posts.errors import PostNotFound
from wxc.posts.service import lock_to_act
from wxc.users.schemas import UserPage
from wxc.users.service import people_page


async def like_post(session: AsyncSession, me: Principal, post_id: UUID) -> LikeState:
    """Make `me` like the post; liking twice changes nothing."""
    post = await lock_to_act(session, me, post_id)
    count = await LikeRepository(session, OF_POSTS).add(me.id, post_id)
    if count is not None:
        await notifications.notify_of_like(session, me.id, post.author_id, post_id=post_id)
    return LikeState(liked=True, likes_count=post.likes_count if count is None else count)


async def unlike_post(session: AsyncSession, me: Principal, post_id: UUID) -> LikeState:
    """Make `me` no longer like the post; doing it twice changes nothing."""
    post = await lock_to_act(session, me, post_id)
    count = await LikeRepository(session, OF_POSTS).remove(me.id, post_id)
    if count is not None:
        await notifications.withdraw_like(session, me.id, post.author_id, post_id=post_id)
    return LikeState(liked=False, likes_count=post.likes_count if count is None else count)


async def list_likes(
    reader: Reader, post_id: UUID, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Who likes the post, the newest like first; raises `PostNotFound`."""
    rows = await LikeReader(reader).likers_of(post_id, viewer_id, page)
    if rows is None:
        raise PostNotFound
    cut = page.cut(rows, key=lambda row: row.like_id)
    return people_page(cut)

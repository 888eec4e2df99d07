"""Liking posts: who may, and what follows from it."""

from uuid import UUID

from wxc.auth.context import Principal
from wxc.core.database import AnyRow, Reader, SingleWrite
from wxc.db.keyset import PageRequest
from wxc.likes.repository import LikeReader, LikeRepository
from wxc.likes.schemas import LikeState
from wxc.notifications.service import topic_of
from wxc.posts.errors import PostNotFound
from wxc.users.errors import BlockedByYou
from wxc.users.schemas import UserPage
from wxc.users.service import people_page


async def like_post(write: SingleWrite, me: Principal, post_id: UUID) -> LikeState:
    """Make `me` like the post; liking twice changes nothing and notifies once.

    Raises `PostNotFound`, also where the author has blocked `me`, `BlockedByYou` and `Retry`.
    """
    post = _acted_on(await LikeRepository(write).add(me.id, post_id))
    if post.told is not None:
        await write.publish([topic_of(post.told)])
    return LikeState(liked=True, likes_count=post.likes_count)


async def unlike_post(write: SingleWrite, me: Principal, post_id: UUID) -> LikeState:
    """Make `me` no longer like the post; doing it twice changes nothing. Raises as `like_post`."""
    post = _acted_on(await LikeRepository(write).remove(me.id, post_id))
    return LikeState(liked=False, likes_count=post.likes_count)


def _acted_on(post: AnyRow | None) -> AnyRow:
    if post is None:
        raise PostNotFound
    if post.blocking:
        raise BlockedByYou
    return post


async def list_likes(
    reader: Reader, post_id: UUID, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Who likes the post, the newest like first; raises `PostNotFound`."""
    rows = await LikeReader(reader).likers_of(post_id, viewer_id, page)
    if rows is None:
        raise PostNotFound
    cut = page.cut(rows, key=lambda row: row.like_id)
    return people_page(cut)

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from wxc.accounts.auth.context import Principal
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.db import commits
from wxc.db.database import Database
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.social.likes.repository import LikeOutcome, delete_like, insert_like, likers_of
from wxc.social.likes.schemas import LikeState
from wxc.social.notifications.service.notifying import topic_of
from wxc.social.posts.errors import PostNotFound
from wxc.social.users.errors import BlockedByYou
from wxc.social.users.schemas import UserPage
from wxc.social.users.service import present_user_page


async def like_post(database: Database, me: Principal, post_id: UUID) -> LikeState:
    """Idempotent; the author is notified once.

    Raises `BlockedByYou`, `Retry`, or `PostNotFound`, also if the author has blocked `me`.
    """
    moment = clock.now()
    commit_before = moment + commits.COMMIT_DEADLINE
    like = insert_like(me.id, post_id, new_id(), new_id(), moment, commit_before)
    try:
        post = _require_likeable(await database.primary.fetch_one(like))
    except IntegrityError:
        raise PostNotFound from None  # deleted by a concurrent transaction
    if post.recipient_id is not None:
        await database.publish([topic_of(post.recipient_id)])
    return LikeState(liked=True, likes_count=post.likes_count)


async def unlike_post(database: Database, me: Principal, post_id: UUID) -> LikeState:
    """Idempotent; raises `PostNotFound` and `BlockedByYou` as `like_post` does."""
    post = _require_likeable(await database.primary.fetch_one(delete_like(me.id, post_id)))
    return LikeState(liked=False, likes_count=post.likes_count)


async def list_likes(
    db: Handle, post_id: UUID, viewer_id: UUID | None, page: PageRequest
) -> UserPage:
    """Users who like the post, newest like first; raises `PostNotFound`."""
    rows = await db.fetch(likers_of(post_id, viewer_id, page=page))
    if not rows:
        raise PostNotFound
    page_slice = page.slice([row for row in rows if row is not None], key=lambda row: row.like_id)
    return present_user_page(page_slice)


def _require_likeable(post: LikeOutcome | None) -> LikeOutcome:
    if post is None:
        raise PostNotFound
    if post.blocking:
        raise BlockedByYou
    return post

from typing import TypeVar
from uuid import UUID

from wxc.core import clock
from wxc.core.times import rfc3339
from wxc.db.handle import Handle
from wxc.db.keyset import PageSlice
from wxc.http.etags import Versioned
from wxc.social.users.errors import UserNotFound
from wxc.social.users.repository import SummaryFields, SummaryRow, profile_by_username
from wxc.social.users.schemas import Profile, Relation, UserPage, UserSummary

Row = TypeVar("Row", bound=SummaryRow)


async def find_profile(db: Handle, username: str, viewer_id: UUID | None) -> Versioned[Profile]:
    """Raises `UserNotFound`, also for a user who has blocked the viewer."""
    row = await db.fetch_one(profile_by_username(username, viewer_id, clock.now()))
    if row is None:
        raise UserNotFound
    relation = Relation(
        following=row.following,
        followed_by=row.followed_by,
        muting=row.muting,
        blocking=row.blocking,
    )
    profile = Profile(
        **present_summary(row, row.id),
        bio=row.bio,
        created_at=rfc3339(row.created_at),
        followers_count=row.followers_count,
        following_count=row.following_count,
        posts_count=row.posts_count,
        has_exchange=row.has_exchange,
        viewer=None if viewer_id is None else relation,
    )
    return Versioned(profile, row.version)


def present_summary(row: SummaryFields, user_id: UUID) -> UserSummary:
    """`user_id` is passed because the name of the id column varies."""
    return {
        "id": str(user_id),
        "username": row.username,
        "display_name": row.display_name,
        "avatar_url": row.avatar_url,
    }


def present_user_page(page_slice: PageSlice[Row]) -> UserPage:
    return {
        "items": [present_summary(row, row.id) for row in page_slice.rows],
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
    }

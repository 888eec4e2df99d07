"""Looking people up."""

from typing import TypeVar
from uuid import UUID

from wxc.core.times import rfc3339
from wxc.db.handle import Handle
from wxc.db.keyset import PageSlice
from wxc.http.etags import Versioned
from wxc.social.users.errors import UserNotFound
from wxc.social.users.repository import Person, Summary, profile_by_username
from wxc.social.users.schemas import Profile, Relation, UserPage, UserSummary

PersonRow = TypeVar("PersonRow", bound=Person)


async def find_profile(db: Handle, username: str, viewer_id: UUID | None) -> Versioned[Profile]:
    """The profile of that folded name; raises `UserNotFound`, also for who blocked the viewer."""
    row = await db.fetch_one(profile_by_username(username, viewer_id))
    if row is None:
        raise UserNotFound
    viewer = Relation(
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
        viewer=None if viewer_id is None else viewer,
    )
    return Versioned(profile, row.version)


def present_summary(row: Summary, user_id: UUID) -> UserSummary:
    """The person of a row; under which name it holds their id is its own affair."""
    return {
        "id": str(user_id),
        "username": row.username,
        "display_name": row.display_name,
        "avatar_url": row.avatar_url,
    }


def people_page(page_slice: PageSlice[PersonRow]) -> UserPage:
    """A page of people."""
    return {
        "items": [present_summary(row, row.id) for row in page_slice.rows],
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
    }

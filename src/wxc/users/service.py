"""Looking people up."""

from typing import Any
from uuid import UUID

from wxc.core.database import AnyRow, Reader
from wxc.core.etags import Versioned
from wxc.db.keyset import Cut
from wxc.users.errors import UserNotFound
from wxc.users.repository import ProfileReader
from wxc.users.schemas import Profile, Relation, UserPage, UserSummary


async def find_profile(reader: Reader, username: str, viewer_id: UUID | None) -> Versioned[Profile]:
    """The profile of that name; raises `UserNotFound` also for who has blocked the viewer."""
    row = await ProfileReader(reader).by_username(username, viewer_id)
    if row is None:
        raise UserNotFound
    fields = dict(row._mapping)
    viewer = Relation(**fields) if viewer_id is not None else None
    return Versioned(Profile(**fields, viewer=viewer), row.version)


def summarise(row: AnyRow, user_id: UUID) -> UserSummary:
    """The person whom a row names; under what name it holds their id is its own affair."""
    return UserSummary(**summary_values(row, user_id))


def summary_values(row: Any, user_id: UUID) -> dict[str, Any]:  # noqa: ANN401 - a row or a tuple
    """What `UserSummary` says, for a `Plain` page of what people did."""
    return {
        "id": str(user_id),
        "username": row.username,
        "display_name": row.display_name,
        "avatar_url": row.avatar_url,
    }


def people_page(cut: Cut[AnyRow]) -> UserPage:
    """The page of people whom these rows name by `id`."""
    return UserPage(
        items=[summarise(row, row.id) for row in cut.rows],
        next_cursor=cut.next_cursor,
        prev_cursor=cut.prev_cursor,
    )

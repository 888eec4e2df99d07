"""Looking people up."""

from uuid import UUID

from wxc.core.database import Reader
from wxc.core.etags import Versioned
from wxc.users.errors import UserNotFound
from wxc.users.repository import ProfileReader
from wxc.users.schemas import Profile, Relation


async def find_profile(reader: Reader, username: str, viewer_id: UUID | None) -> Versioned[Profile]:
    """The profile of that name; raises `UserNotFound` also for who has blocked the viewer."""
    row = await ProfileReader(reader).by_username(username, viewer_id)
    if row is None:
        raise UserNotFound
    fields = dict(row._mapping)
    viewer = Relation(**fields) if viewer_id is not None else None
    return Versioned(Profile(**fields, viewer=viewer), row.version)

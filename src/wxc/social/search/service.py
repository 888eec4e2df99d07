"""Finding people."""

import struct
from uuid import UUID

from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest, SortKey
from wxc.social.search.repository import FoundPerson, people_found
from wxc.social.users.schemas import UserPage
from wxc.social.users.service import people_page

# The kind of match and the distance; as bytes, unsigned integers and non-negative floats keep
# their order. The name follows.
_RANK = struct.Struct(">Bf")


async def find_people(db: Handle, text: str, viewer_id: UUID | None, page: PageRequest) -> UserPage:
    """The people that the text may mean, the likeliest first."""
    kind, distance, name = _unpacked(page.key.rank) if page.key else (None, None, None)
    rows = await db.fetch(people_found(text, viewer_id, distance, name, page=page, kind=kind))
    return people_page(page.slice(rows, _sort_key))


def _sort_key(row: FoundPerson) -> SortKey:
    return SortKey(_RANK.pack(row.kind, row.distance) + row.name.encode(), row.id)


def _unpacked(rank: bytes) -> tuple[int, float, str]:
    kind, distance = _RANK.unpack_from(rank)
    return kind, distance, rank[_RANK.size :].decode()

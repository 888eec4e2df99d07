import struct
from uuid import UUID

from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest, SortKey
from wxc.social.search.repository import UserMatch, users_matching
from wxc.social.users.schemas import UserPage
from wxc.social.users.service import present_user_page

# The kind of match and the distance; the name follows. Unsigned integers and non-negative floats
# sort correctly as big-endian bytes.
_RANK = struct.Struct(">Bf")


async def find_users(db: Handle, text: str, viewer_id: UUID | None, page: PageRequest) -> UserPage:
    kind, distance, name = _unpack_rank(page.key.rank) if page.key else (None, None, None)
    rows = await db.fetch(users_matching(text, viewer_id, distance, name, page=page, kind=kind))
    return present_user_page(page.slice(rows, _sort_key))


def _sort_key(row: UserMatch) -> SortKey:
    return SortKey(_RANK.pack(row.kind, row.distance) + row.name.encode(), row.id)


def _unpack_rank(rank: bytes) -> tuple[int, float, str]:
    kind, distance = _RANK.unpack_from(rank)
    return kind, distance, rank[_RANK.size :].decode()

"""Finding people."""

import struct
from uuid import UUID

from wxc.core.database import AnyRow, Reader
from wxc.core.ranking import Place, RankedRequest
from wxc.search.repository import PeopleReader, Standing
from wxc.users.schemas import UserPage
from wxc.users.service import people_page

_RANK = struct.Struct(">Bf")  # as bytes, whole numbers and floats from 0 on keep their order


async def find_people(
    reader: Reader, text: str, viewer_id: UUID | None, page: RankedRequest
) -> UserPage:
    """Whom the text may mean, the likeliest first."""
    beside = _standing(page.place) if page.place else None
    rows = await PeopleReader(reader).found(
        text, viewer_id, beside, page.limit + 1, backwards=page.is_backwards
    )
    cut = page.cut(rows, _place)
    return people_page(cut)


def _place(row: AnyRow) -> Place:
    return Place(_RANK.pack(row.kind, row.distance) + row.name.encode(), row.id)


def _standing(place: Place) -> Standing:
    kind, distance = _RANK.unpack_from(place.rank)
    return Standing(kind, distance, place.rank[_RANK.size :].decode(), place.id)

from typing import NamedTuple
from uuid import UUID


class EdgeRow(NamedTuple):
    """The other user of a follow, block or mute; lists are ordered by `edge_id`."""

    edge_id: UUID
    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None

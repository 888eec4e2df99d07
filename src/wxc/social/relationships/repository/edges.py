"""What rows of follows, blocks and mutes have in common."""

from typing import NamedTuple
from uuid import UUID


class EdgeRow(NamedTuple):
    """A follow, block or mute, whose id is its place in the list, and the other member."""

    edge_id: UUID
    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None


class EdgeId(NamedTuple):
    """A block or mute that was written or deleted."""

    id: UUID

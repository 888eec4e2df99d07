"""How a thread is asked for: in which order, how deep, how broad."""

from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from wxc.db.keyset import CursorSealer, PageRequest, list_scope, resume

Sort = Literal["oldest", "newest"]
DEEPEST_COMMENT = 50
DEFAULT_DEPTH, GREATEST_DEPTH = 6, 20
DEFAULT_BRANCH, GREATEST_BRANCH = 5, 50
MOST_ITEMS = 500
"""Of one answer, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The order on every level, how many levels below the first, how many replies of each."""

    oldest_first: bool = True
    depth: int = DEFAULT_DEPTH
    branch: int = DEFAULT_BRANCH

    def packed(self) -> bytes:
        """The shape as a cursor carries it."""
        return bytes((self.oldest_first, self.depth, self.branch))

    @classmethod
    def unpacked(cls, carried: bytes) -> Self:
        """The shape that a cursor carries."""
        oldest_first, depth, branch = carried
        return cls(bool(oldest_first), depth, branch)


@dataclass(frozen=True, slots=True)
class Branches:
    """Where the replies are to be had that an answer does not list."""

    sealer: CursorSealer
    shape: Shape

    def cursor(self, comment_id: UUID, after: UUID | None) -> str:
        """Continues the replies of that comment behind `after`, or begins them."""
        return resume(
            self.sealer,
            replies_scope(comment_id),
            self.shape.packed(),
            oldest_first=self.shape.oldest_first,
            after=after,
        )


@dataclass(frozen=True, slots=True)
class ThreadRequest:
    """Which page of a post's thread, or of a comment's replies, is wanted."""

    subject_id: UUID
    page: PageRequest
    branches: Branches

    @property
    def shape(self) -> Shape:
        """The shape of the page."""
        return self.branches.shape


def replies_scope(comment_id: UUID) -> str:
    """The name of the list of a comment's replies; its cursors carry all else."""
    return list_scope(f"/comments/{comment_id}/replies")

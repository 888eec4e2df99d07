"""Which part of a thread a request wants: in which order, how deep, how broad."""

from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from wxc.db.cursors import CursorSigner
from wxc.db.keyset import PageRequest, list_scope, start_cursor

Sort = Literal["oldest", "newest"]
MAX_COMMENT_DEPTH = 50
DEFAULT_DEPTH, MAX_DEPTH = 6, 20
DEFAULT_BRANCH, MAX_BRANCH = 5, 50
MAX_ITEMS = 500
"""Of one answer, whatever its shape."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The order on every level, how many levels below the first, how many replies of each."""

    oldest_first: bool = True
    depth: int = DEFAULT_DEPTH
    branch: int = DEFAULT_BRANCH

    @property
    def fixed_sizes(self) -> tuple[int, int] | None:
        """Depth and branch to be written into a statement: only if both have their defaults."""
        sizes = (self.depth, self.branch)
        return sizes if sizes == (DEFAULT_DEPTH, DEFAULT_BRANCH) else None

    def packed(self) -> bytes:
        """The shape as a cursor carries it."""
        return bytes((self.oldest_first, self.depth, self.branch))

    @classmethod
    def unpacked(cls, extra: bytes) -> Self:
        """The shape that a cursor carries."""
        oldest_first, depth, branch = extra
        return cls(bool(oldest_first), depth, branch)


@dataclass(frozen=True, slots=True)
class Branches:
    """Makes the cursors to replies that an answer does not list."""

    signer: CursorSigner
    shape: Shape

    def cursor(self, comment_id: UUID, after: UUID | None) -> str:
        """The cursor to the replies of that comment behind `after`; None is the beginning."""
        return start_cursor(
            self.signer,
            replies_scope(comment_id),
            self.shape.packed(),
            oldest_first=self.shape.oldest_first,
            after=after,
        )


@dataclass(frozen=True, slots=True)
class ThreadRequest:
    """A page of a post's thread, or of a comment's replies."""

    subject_id: UUID
    page: PageRequest
    branches: Branches

    @property
    def shape(self) -> Shape:
        """The shape of the page."""
        return self.branches.shape


def replies_scope(comment_id: UUID) -> str:
    """The name of the list of a comment's replies; its cursors carry everything else."""
    return list_scope(f"/comments/{comment_id}/replies")

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
"""The maximum number of comments in a response of any shape."""


@dataclass(frozen=True, slots=True)
class ThreadShape:
    """Which part of a thread a response lists."""

    oldest_first: bool = True
    """The order on every level."""
    depth: int = DEFAULT_DEPTH
    """The levels of replies below the top level."""
    branch: int = DEFAULT_BRANCH
    """The replies listed for each comment."""

    @property
    def inline_sizes(self) -> tuple[int, int] | None:
        """Depth and branch as inline literals of a statement; None unless both are defaults."""
        sizes = (self.depth, self.branch)
        return sizes if sizes == (DEFAULT_DEPTH, DEFAULT_BRANCH) else None

    def pack(self) -> bytes:
        return bytes((self.oldest_first, self.depth, self.branch))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        oldest_first, depth, branch = packed
        return cls(bool(oldest_first), depth, branch)


@dataclass(frozen=True, slots=True)
class RepliesCursors:
    """Signs cursors to replies that a response does not list."""

    signer: CursorSigner
    shape: ThreadShape

    def cursor_after(self, comment_id: UUID, reply_id: UUID | None) -> str:
        """The cursor to the replies to a comment after `reply_id`, or to all of them if None."""
        return start_cursor(
            self.signer,
            replies_scope(comment_id),
            self.shape.pack(),
            oldest_first=self.shape.oldest_first,
            after=reply_id,
        )


@dataclass(frozen=True, slots=True)
class ThreadRequest:
    """A page of a post's thread, or of a comment's replies."""

    subject_id: UUID
    page: PageRequest
    replies_cursors: RepliesCursors

    @property
    def shape(self) -> ThreadShape:
        return self.replies_cursors.shape


def replies_scope(comment_id: UUID) -> str:
    """Excludes the query parameters: cursors to replies contain the shape."""
    return list_scope(f"/comments/{comment_id}/replies")

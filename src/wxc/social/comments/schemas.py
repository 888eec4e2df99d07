from typing import Annotated

from typing_extensions import TypedDict

from wxc.core.ids import Id
from wxc.core.text import Text
from wxc.http.answers import IdText, TimeText, answer
from wxc.http.openapi.examples import example
from wxc.http.pages import PAGE_EXAMPLE, Items, NextCursor, PrevCursor
from wxc.http.schemas import Input
from wxc.social.users.schemas import UserSummary

_EXAMPLE = "0198c2a4-7c1e-7d3a-9f00-5c2e4a7b1d90"
CommentBody = Annotated[str, Text(2000)]


class CommentUpdate(Input):
    """The new body of a comment."""

    model_config = example({"body": "It opens at nine."})

    body: CommentBody
    """Up to 2,000 characters. Mentions added by an edit do not notify anyone."""


class CommentCreate(Input):
    """A new comment or, with `parent_id`, a reply."""

    model_config = example({"body": "The counter at the corner had 0.895.", "parent_id": _EXAMPLE})

    body: CommentBody
    """Up to 2,000 characters. `@username` notifies the mentioned user (at most 20 users)."""
    parent_id: Id | None = None
    """The comment to reply to, on the same post; null or absent to comment on the post itself."""


@answer({"liked": False})
class CommentViewer(TypedDict):
    """The signed-in user's relation to the comment."""

    liked: bool
    """Whether you like it."""


@answer(
    {
        "post_id": "0198c2a3-1b7e-7c52-8e41-6d0f9a3b2c18",
        "depth": 0,
        "body": "The counter at the corner had 0.895.",
        "deleted": False,
        "likes_count": 2,
        "replies_count": 0,
    }
)
class Comment(TypedDict):
    """A comment, or the tombstone of a comment that was deleted while it had replies."""

    id: IdText
    post_id: IdText
    """The post the comment is on."""
    parent_id: IdText | None
    """The comment it replies to; null for a comment on the post itself."""
    depth: int
    """0 for a comment on the post itself, 1 for a reply to it, and so on up to 50."""
    author: UserSummary | None
    """The author; null for a tombstone."""
    body: str | None
    """Plain text: escape it, do not render it as HTML or Markdown. Null for a tombstone."""
    deleted: bool
    """True for a tombstone: the comment was deleted, but its replies remain."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the comment was last edited; null if never or for a tombstone."""
    likes_count: int
    """The number of likes, including those of users you cannot see."""
    replies_count: int
    """The number of direct replies that are not deleted, including those you cannot see."""
    replies_cursor: str | None
    """The cursor to the replies that are not listed, for `/comments/{comment_id}/replies`; null if
    there are none.
    """
    viewer: CommentViewer | None
    """Your relation to the comment; null if you are not signed in."""


@answer(PAGE_EXAMPLE)
class CommentPage(TypedDict):
    """One page of a thread: each comment is followed by its replies. `limit` counts only the top
    level of the page; with replies, a page has up to 500 items.
    """

    items: Items[Comment]
    next_cursor: NextCursor
    prev_cursor: PrevCursor

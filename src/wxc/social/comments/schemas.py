"""Request and response schemas of comments."""

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
    """What is to stand in place of the comment's body."""

    model_config = example({"body": "It opens at nine."})

    body: CommentBody
    """Up to 2,000 characters; `@username` tells a person of it."""


class CommentCreate(Input):
    """A comment to be written; with `parent_id` it is a reply."""

    model_config = example({"body": "The counter at the corner had 0.895.", "parent_id": _EXAMPLE})

    body: CommentBody
    """Up to 2,000 characters; `@username` tells a person of it."""
    parent_id: Id | None = None
    """The comment of the same post that it replies to."""


@answer({"liked": False})
class CommentViewer(TypedDict):
    """What the signed-in person has to do with the comment."""

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
    """A comment; of one that was deleted while there were replies, author and body are null."""

    id: IdText
    post_id: IdText
    """The post that it is about."""
    parent_id: IdText | None
    """The comment that it replies to; null for one on the post."""
    depth: int
    """0 for a comment on the post, one more for each reply to a reply."""
    author: UserSummary | None
    """Who has written it; null once it is deleted."""
    body: str | None
    """Plain text: show it as such. Null once it is deleted."""
    deleted: bool
    """It is a tombstone, which holds its replies together."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the body was last changed; null if never."""
    likes_count: int
    """How many like it."""
    replies_count: int
    """Direct replies that are not deleted, whoever may see them."""
    replies_cursor: str | None
    """Brings the replies that are not listed, at `/comments/{id}/replies?cursor=`."""
    viewer: CommentViewer | None
    """What you have to do with it; null for who is not signed in."""


@answer(PAGE_EXAMPLE)
class CommentPage(TypedDict):
    """One page of a thread: comments, each followed by its replies. The limit counts those that
    the page is a list of; their replies come on top, up to 500 items in all.
    """

    items: Items[Comment]
    next_cursor: NextCursor
    prev_cursor: PrevCursor

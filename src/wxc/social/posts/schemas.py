from typing import Annotated

from typing_extensions import TypedDict

from wxc.core.text import Text
from wxc.http.answers import IdText, TimeText, answer
from wxc.http.openapi.examples import example
from wxc.http.pages import PAGE_EXAMPLE, Items, NextCursor, PrevCursor
from wxc.http.schemas import Input
from wxc.social.users.schemas import UserSummary

PostBody = Annotated[str, Text(5000)]


class PostCreate(Input):
    """A new post."""

    model_config = example({"body": "Best rate for yen in Tanjong Pagar today?"})

    body: PostBody
    """Up to 5,000 characters. `@username` notifies the mentioned user (at most 20 users)."""


class PostUpdate(PostCreate):
    """The new body of a post."""

    body: PostBody
    """Up to 5,000 characters. Mentions added by an edit do not notify anyone."""


@answer({"liked": True})
class PostViewer(TypedDict):
    """The signed-in user's relation to the post."""

    liked: bool
    """Whether you like it."""


@answer(
    {
        "body": "Best rate for yen in Tanjong Pagar today?",
        "likes_count": 8,
        "comments_count": 3,
    }
)
class Post(TypedDict):
    """A post with its author and counters."""

    id: IdText
    author: UserSummary
    """The author of the post."""
    body: str
    """Plain text: escape it, do not render it as HTML or Markdown."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the post was last edited; null if never."""
    likes_count: int
    """The number of likes, including those of users you cannot see."""
    comments_count: int
    """The number of comments and replies that are not deleted, including those you cannot see."""
    viewer: PostViewer | None
    """Your relation to the post; null if you are not signed in."""


@answer(PAGE_EXAMPLE)
class PostPage(TypedDict):
    """One page of posts."""

    items: Items[Post]
    next_cursor: NextCursor
    prev_cursor: PrevCursor

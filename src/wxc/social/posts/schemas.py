"""Request and response schemas of posts."""

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
    """A post to be written."""

    model_config = example({"body": "Best rate for yen in Tanjong Pagar today?"})

    body: PostBody
    """Up to 5,000 characters; `@username` tells a person of it."""


class PostUpdate(PostCreate):
    """What is to stand in place of the post's body."""


@answer({"liked": True})
class PostViewer(TypedDict):
    """What the signed-in person has to do with the post."""

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
    """A post; `viewer` is null for who is not signed in."""

    id: IdText
    author: UserSummary
    """Who has written it."""
    body: str
    """Plain text: show it as such."""
    created_at: TimeText
    edited_at: TimeText | None
    """When the body was last changed; null if never."""
    likes_count: int
    """How many like it."""
    comments_count: int
    """Comments and replies that are not deleted."""
    viewer: PostViewer | None
    """What you have to do with it; null for who is not signed in."""


@answer(PAGE_EXAMPLE)
class PostPage(TypedDict):
    """One page of posts."""

    items: Items[Post]
    next_cursor: NextCursor
    prev_cursor: PrevCursor

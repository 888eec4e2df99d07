"""What posts look like to a client."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict

from wxc.core.pagination import Page
from wxc.core.text import Text
from wxc.core.times import Timestamp
from wxc.http.schemas import Input, Schema
from wxc.users.schemas import UserSummary

PostBody = Annotated[str, Text(5000)]


class PostCreate(Input):
    """A post to be written."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"body": "Best rate for yen in Tanjong Pagar today?"}]}
    )

    body: PostBody
    """Up to 5,000 characters; `@username` tells a person of it."""


class PostUpdate(PostCreate):
    """What is to stand in place of the post's body."""


class PostViewer(Schema):
    """What the signed-in person has to do with the post."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"liked": True}]})

    liked: bool
    """Whether you like it."""


class Post(Schema):
    """A post; `viewer` is null for who is not signed in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "body": "Best rate for yen in Tanjong Pagar today?",
                    "likes_count": 8,
                    "comments_count": 3,
                }
            ]
        }
    )

    id: UUID
    author: UserSummary
    """Who has written it."""
    body: str
    """Plain text: show it as such."""
    created_at: Timestamp
    edited_at: Timestamp | None
    """When the body was last changed; null if never."""
    likes_count: int
    """How many like it."""
    comments_count: int
    """Comments and replies that are not deleted."""
    viewer: PostViewer | None
    """What you have to do with it; null for who is not signed in."""


class PostPage(Page[Post]):
    """One page of posts."""

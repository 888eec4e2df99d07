"""What posts look like to a client."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from wxc.core.pagination import Page
from wxc.core.text import Text
from wxc.core.times import Timestamp
from wxc.users.schemas import UserSummary

PostBody = Annotated[str, Text(5000)]


class PostCreate(BaseModel):
    """A post to be written."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"body": "Best rate for yen in Tanjong Pagar today?"}]},
    )

    body: PostBody


class PostUpdate(PostCreate):
    """What is to stand in place of the post's body."""


class PostViewer(BaseModel):
    """What the signed-in person has to do with the post."""

    liked: bool


class Post(BaseModel):
    """A post; `viewer` is null for who is not signed in."""

    id: UUID
    author: UserSummary
    body: str
    created_at: Timestamp
    edited_at: Timestamp | None
    likes_count: int
    comments_count: int
    viewer: PostViewer | None


class PostPage(Page[Post]):
    """One page of posts."""

"""What comments look like to a client."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from wxc.core.ids import Id
from wxc.core.pagination import Page
from wxc.core.text import Text
from wxc.core.times import Timestamp
from wxc.users.schemas import UserSummary

_EXAMPLE = "0198c2a4-7c1e-7d3a-9f00-5c2e4a7b1d90"
CommentBody = Annotated[str, Text(2000)]


class CommentUpdate(BaseModel):
    """What is to stand in place of the comment's body."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"body": "It opens at nine."}]}
    )

    body: CommentBody


class CommentCreate(BaseModel):
    """A comment to be written; with `parent_id` it is a reply."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"body": "The counter at the corner had 0.895.", "parent_id": _EXAMPLE}]
        },
    )

    body: CommentBody
    parent_id: Id | None = None


class CommentViewer(BaseModel):
    """What the signed-in person has to do with the comment."""

    liked: bool


class Comment(BaseModel):
    """A comment; of one that was deleted while there were replies, author and body are null."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: UUID
    post_id: UUID
    parent_id: UUID | None
    depth: int
    """0 for a comment on the post, one more for each reply to a reply."""
    author: UserSummary | None
    body: str | None
    deleted: bool
    created_at: Timestamp
    edited_at: Timestamp | None
    likes_count: int
    replies_count: int
    """Direct replies that are not deleted, whoever may see them."""
    replies_cursor: str | None
    """Brings the replies that are not listed, at `/comments/{id}/replies?cursor=`."""
    viewer: CommentViewer | None


class CommentPage(Page[Comment]):
    """One page of a thread: comments, each followed by its replies. The limit counts those that
    the page is a list of; their replies come on top, up to 500 items in all.
    """

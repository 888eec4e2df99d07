"""What notifications look like to their recipient."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from wxc.core.ids import Id
from wxc.core.pagination import Page
from wxc.core.times import Timestamp
from wxc.users.schemas import UserSummary

MOST_UNREAD = 99
MOST_ACTORS = 3

Kind = Literal[
    "follow",
    "post_like",
    "comment_like",
    "post_comment",
    "comment_reply",
    "mention",
    "exchange_expiring",
]


class NotificationGroup(BaseModel):
    """What is shown as one: likes of one thing, follows of one day (UTC), or a single event."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: UUID
    """That of the newest notification in it."""
    type: Kind
    count: int
    """How many notifications it holds; counted up to 10,000."""
    actors: list[UserSummary]
    """Who did it, the newest first; three at most."""
    post_id: UUID | None
    comment_id: UUID | None
    """The comment that was written or liked."""
    latest_at: Timestamp
    unread: bool


class UnreadCount(BaseModel):
    """How many groups are unread."""

    unread_count: int = Field(description=f"Counts groups, up to {MOST_UNREAD}.")


class NotificationPage(Page[NotificationGroup]):
    """One page of notifications."""

    unread_count: int = Field(description=f"Counts groups, up to {MOST_UNREAD}.")


class ReadUpTo(BaseModel):
    """What has been seen."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"up_to": "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6071"}]},
    )

    up_to: Id
    """The `id` of the newest group that was shown; what comes after it stays unread."""


class UnreadUpdate(UnreadCount):
    """A group that is new, or has grown."""

    group: NotificationGroup

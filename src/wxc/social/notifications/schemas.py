from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from wxc.core.ids import Id
from wxc.http.answers import IdText, TimeText, answer
from wxc.http.openapi.examples import example
from wxc.http.pages import PAGE_EXAMPLE, Items, NextCursor, PrevCursor
from wxc.http.schemas import Input, Schema
from wxc.social.users.schemas import UserSummary

MAX_UNREAD = 99
MAX_ACTORS = 3

Unread = Annotated[int, Field(description=f"Unread groups, up to {MAX_UNREAD}.", examples=[3])]
Kind = Literal[
    "follow",
    "post_like",
    "comment_like",
    "post_comment",
    "comment_reply",
    "mention",
    "exchange_expiring",
]


@answer(
    {
        "type": "post_like",
        "count": 2,
        "post_id": "0198c2a3-1b7e-7c52-8e41-6d0f9a3b2c18",
        "unread": True,
    }
)
class NotificationGroup(TypedDict):
    """The likes of one post or comment, the follows of one day (UTC), or a single event."""

    id: IdText
    """The id of the newest notification in the group; it changes when the group grows."""
    type: Kind
    """The kind of event."""
    count: int
    """Number of notifications in the group, at most 10,000."""
    actors: list[UserSummary]
    """The three users who caused the latest events, newest first. Empty for system events."""
    post_id: IdText | None
    """The post of the event, or the post of its comment; null for events without a post."""
    comment_id: IdText | None
    """The comment that was written or liked; null for events without a comment."""
    latest_at: TimeText
    """Time of the newest notification."""
    unread: bool
    """Whether the group has a notification that you have not marked as read."""


class UnreadCount(Schema):
    """The number of groups with unread notifications."""

    unread_count: Unread


@answer(PAGE_EXAMPLE)
class NotificationPage(TypedDict):
    """One page of notifications."""

    items: Items[NotificationGroup]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
    unread_count: Unread


class ReadUpTo(Input):
    """The newest notification to mark as read."""

    model_config = example({"up_to": "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6071"})

    up_to: Id
    """The `id` of the newest group you have displayed. Newer notifications stay unread."""


class UnreadUpdate(UnreadCount):
    """A new group, or one that has grown."""

    group: NotificationGroup
    """The current state of the group."""

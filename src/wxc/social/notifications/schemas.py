"""Request and response schemas of notifications."""

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

Unread = Annotated[int, Field(description=f"Counts groups, up to {MAX_UNREAD}.", examples=[3])]
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
    """What is shown as one: likes of one thing, follows of one day (UTC), or a single event."""

    id: IdText
    """That of the newest notification in it."""
    type: Kind
    """What happened."""
    count: int
    """How many notifications it holds; counted up to 10,000."""
    actors: list[UserSummary]
    """Who did it, the newest first; three at most."""
    post_id: IdText | None
    """The post that it happened to; null where it was none."""
    comment_id: IdText | None
    """The comment that was written or liked."""
    latest_at: TimeText
    """When it happened last."""
    unread: bool
    """Whether there is something in it that you have not marked as read."""


class UnreadCount(Schema):
    """How many groups are unread."""

    unread_count: Unread


@answer(PAGE_EXAMPLE)
class NotificationPage(TypedDict):
    """One page of notifications."""

    items: Items[NotificationGroup]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
    unread_count: Unread


class ReadUpTo(Input):
    """What has been seen."""

    model_config = example({"up_to": "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6071"})

    up_to: Id
    """The `id` of the newest group that was shown; what comes after it stays unread."""


class UnreadUpdate(UnreadCount):
    """A group that is new, or has grown."""

    group: NotificationGroup
    """The group as it is now."""

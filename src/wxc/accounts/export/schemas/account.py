"""Exported lists of the account itself: usernames, sessions, reports, notifications."""

from typing import Literal

from typing_extensions import TypedDict

from wxc.http.answers import IdText, TimeText, answer
from wxc.social.notifications.schemas import Kind


@answer({"name": "amelia"})
class ExportedUsername(TypedDict):
    """A name that is, or once was, yours."""

    name: str
    """As it was typed."""
    taken_at: TimeText
    """When it became yours."""


@answer(
    {
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
        "place": "Portugal",
    }
)
class ExportedSession(TypedDict):
    """A place where you are, or were, logged in."""

    id: IdText
    user_agent: str | None
    """What the browser calls itself."""
    place: str | None
    """Where it was used last, roughly."""
    created_at: TimeText
    last_used_at: TimeText
    """When it was opened or last refreshed."""
    revoked_at: TimeText | None
    """When it was ended; null while it is not."""


@answer({"target_type": "comment", "reason": "fraud"})
class ExportedReport(TypedDict):
    """Something that you have reported."""

    target_type: Literal["user", "post", "comment", "exchange"]
    """What it is."""
    target_id: IdText
    """Its id."""
    reason: Literal["spam", "abuse", "illegal", "fraud", "other"]
    """Why operators should look at it."""
    detail: str | None
    """What you added."""
    created_at: TimeText


@answer({"type": "follow"})
class ExportedNotification(TypedDict):
    """Something that you were told of."""

    type: Kind
    """What happened."""
    actor_id: IdText | None
    """Who did it; null where nobody did."""
    post_id: IdText | None
    """The post that it happened to."""
    comment_id: IdText | None
    """The comment that was written or liked."""
    created_at: TimeText
    read_at: TimeText | None
    """When you marked it as read."""

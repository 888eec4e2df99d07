from typing import Literal

from typing_extensions import TypedDict

from wxc.http.answers import IdText, TimeText, answer
from wxc.social.notifications.schemas import Kind


@answer({"name": "amelia"})
class ExportedUsername(TypedDict):
    """Your username, or a former one; former usernames stay reserved for you."""

    name: str
    """In lower case."""
    taken_at: TimeText
    """When you first chose it."""


@answer(
    {
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
        "place": "Portugal",
    }
)
class ExportedSession(TypedDict):
    """A session of your account, possibly ended."""

    id: IdText
    user_agent: str | None
    """The `User-Agent` header of the browser; null if it sent none."""
    place: str | None
    """Approximate location: a country, or a network if the country is unknown."""
    created_at: TimeText
    last_used_at: TimeText
    """When you logged in or the session was last refreshed."""
    revoked_at: TimeText | None
    """When the session was ended; null if it was not."""


@answer({"target_type": "comment", "reason": "fraud"})
class ExportedReport(TypedDict):
    """A report that you have sent."""

    target_type: Literal["user", "post", "comment", "exchange"]
    """The kind of the reported object."""
    target_id: IdText
    """The id of the reported object."""
    reason: Literal["spam", "abuse", "illegal", "fraud", "other"]
    """The reason for the report."""
    detail: str | None
    """Your comment on the report; null if you sent none."""
    created_at: TimeText


@answer({"type": "follow"})
class ExportedNotification(TypedDict):
    """A notification that you have received."""

    type: Kind
    """The kind of event."""
    actor_id: IdText | None
    """The user who caused the event; null if no user did."""
    post_id: IdText | None
    """The post concerned; null if there is none."""
    comment_id: IdText | None
    """The new or liked comment; null if there is none."""
    created_at: TimeText
    read_at: TimeText | None
    """When you marked it as read; null if it is unread."""

from typing_extensions import TypedDict

from wxc.http.answers import IdText, TimeText, answer
from wxc.http.pages import Items, NextCursor, PrevCursor


@answer(
    {
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
        "place": "Portugal",
        "current": True,
    }
)
class OwnSession(TypedDict):
    """A browser or device in which you are logged in."""

    id: IdText
    created_at: TimeText
    last_used_at: TimeText
    """When the session was started or last refreshed."""
    user_agent: str | None
    """The `User-Agent` header at login; null if there was none."""
    place: str | None
    """The approximate place of last use: a country, or the network if the country is unknown."""
    current: bool
    """Whether this is the session of the request."""


@answer({})
class OwnSessionPage(TypedDict):
    """Your 100 most recently used sessions; the cursors are always null."""

    items: Items[OwnSession]
    next_cursor: NextCursor
    prev_cursor: PrevCursor

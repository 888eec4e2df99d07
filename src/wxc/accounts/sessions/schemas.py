"""What sessions look like to their owner."""

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
    """One place where you are logged in."""

    id: IdText
    created_at: TimeText
    last_used_at: TimeText
    """When it was opened or last refreshed."""
    user_agent: str | None
    """What the browser calls itself; null where it said nothing."""
    place: str | None
    """Where that was, roughly: a country, or the network where no country is known."""
    current: bool
    """Whether it is the one that asks."""


@answer({})
class OwnSessionPage(TypedDict):
    """The hundred sessions that were used last; the cursors are always null."""

    items: Items[OwnSession]
    next_cursor: NextCursor
    prev_cursor: PrevCursor

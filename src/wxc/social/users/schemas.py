from typing_extensions import TypedDict

from wxc.http.answers import IdText, TimeText, answer
from wxc.http.pages import PAGE_EXAMPLE, Items, NextCursor, PrevCursor

_EXAMPLE = "0198c29e-0b3d-7f11-a2c4-1d5e8f7a9b02"


@answer(
    {
        "id": _EXAMPLE,
        "username": "amelia",
        "display_name": "Amelia",
        "avatar_url": "https://images.example.com/amelia.png",
    }
)
class UserSummary(TypedDict):
    """A user, as shown in lists and next to their content."""

    id: IdText
    username: str
    """As the user spells it; paths accept it in any case."""
    display_name: str | None
    """Shown next to the username; null if not set."""
    avatar_url: str | None
    """URL of the profile picture, on any host; null if not set."""


@answer(PAGE_EXAMPLE)
class UserPage(TypedDict):
    """One page of users."""

    items: Items[UserSummary]
    next_cursor: NextCursor
    prev_cursor: PrevCursor


@answer({"following": True, "followed_by": False, "muting": False, "blocking": False})
class Relation(TypedDict):
    """Your relationship to the user."""

    following: bool
    """You follow the user."""
    followed_by: bool
    """The user follows you."""
    muting: bool
    """You have muted the user, who cannot see this."""
    blocking: bool
    """You have blocked the user, who is hidden from your lists."""


@answer(
    {
        "id": _EXAMPLE,
        "username": "amelia",
        "display_name": "Amelia",
        "avatar_url": "https://images.example.com/amelia.png",
        "bio": "Walks a lot, mostly uphill.",
        "followers_count": 128,
        "following_count": 42,
        "posts_count": 17,
        "has_exchange": False,
    }
)
class Profile(UserSummary):
    """A user's profile."""

    # The descriptions of inherited fields are not inherited.
    id: IdText
    username: str
    """As the user spells it; paths accept it in any case."""
    display_name: str | None
    """Shown next to the username; null if not set."""
    avatar_url: str | None
    """URL of the profile picture, on any host; null if not set."""
    bio: str | None
    """The user's description of themselves; null if not set."""
    created_at: TimeText
    followers_count: int
    """Number of followers."""
    following_count: int
    """Number of users they follow."""
    posts_count: int
    """Number of posts."""
    has_exchange: bool
    """Whether the user has an exchange that has not expired, at `/users/{username}/exchange`."""
    viewer: Relation | None
    """Your relationship to the user; null if you are not signed in."""

"""Response schemas of users."""

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
    """A person, as named beside what they do."""

    id: IdText
    username: str
    """As they type it; addresses take it in any case."""
    display_name: str | None
    """Shown beside the username; null where there is none."""
    avatar_url: str | None
    """A picture, wherever they keep it."""


@answer(PAGE_EXAMPLE)
class UserPage(TypedDict):
    """One page of people."""

    items: Items[UserSummary]
    next_cursor: NextCursor
    prev_cursor: PrevCursor


@answer({"following": True, "followed_by": False, "muting": False, "blocking": False})
class Relation(TypedDict):
    """What there is between the signed-in person and the one they look at."""

    following: bool
    """You follow them."""
    followed_by: bool
    """They follow you."""
    muting: bool
    """You have muted them; they do not know."""
    blocking: bool
    """You have blocked them: they are gone from your lists."""


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
    """A person's page; `viewer` is null for who is not signed in."""

    # The descriptions of inherited fields are not inherited.
    id: IdText
    username: str
    """As they type it; addresses take it in any case."""
    display_name: str | None
    """Shown beside the username; null where there is none."""
    avatar_url: str | None
    """A picture, wherever they keep it."""
    bio: str | None
    """What they say of themselves."""
    created_at: TimeText
    followers_count: int
    """How many follow them."""
    following_count: int
    """How many they follow."""
    posts_count: int
    """How many posts they have written."""
    has_exchange: bool
    """Whether `/users/{username}/exchange` has a board to show."""
    viewer: Relation | None
    """What there is between you and them; null for who is not signed in."""

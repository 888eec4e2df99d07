"""How people look to others."""

from uuid import UUID

from pydantic import ConfigDict

from wxc.core.pagination import Page
from wxc.core.times import Timestamp
from wxc.http.schemas import Schema

_EXAMPLE = "0198c29e-0b3d-7f11-a2c4-1d5e8f7a9b02"


class UserSummary(Schema):
    """A person, as named beside what they do."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _EXAMPLE,
                    "username": "amelia",
                    "display_name": "Amelia",
                    "avatar_url": "https://images.example.com/amelia.png",
                }
            ]
        }
    )

    id: UUID
    username: str
    """As they type it; addresses take it in any case."""
    display_name: str | None
    """Shown beside the username; null where there is none."""
    avatar_url: str | None
    """A picture, wherever they keep it."""


class UserPage(Page[UserSummary]):
    """One page of people."""


class Relation(Schema):
    """What there is between the signed-in person and the one they look at."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"following": True, "followed_by": False, "muting": False, "blocking": False}
            ]
        }
    )

    following: bool
    """You follow them."""
    followed_by: bool
    """They follow you."""
    muting: bool
    """You have muted them; they do not know."""
    blocking: bool
    """You have blocked them: they are gone from your lists."""


class Profile(UserSummary):
    """A person's page; `viewer` is null for who is not signed in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
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
            ]
        }
    )

    bio: str | None
    """What they say of themselves."""
    created_at: Timestamp
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

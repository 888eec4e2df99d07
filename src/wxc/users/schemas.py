"""How people look to others."""

from uuid import UUID

from pydantic import BaseModel

from wxc.core.pagination import Page
from wxc.core.times import Timestamp


class UserSummary(BaseModel):
    """A person, as named beside what they do."""

    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None


class UserPage(Page[UserSummary]):
    """One page of people."""


class Relation(BaseModel):
    """What there is between the signed-in person and the one they look at."""

    following: bool
    followed_by: bool
    muting: bool
    blocking: bool


class Profile(UserSummary):
    """A person's page; `viewer` is null for who is not signed in."""

    bio: str | None
    created_at: Timestamp
    followers_count: int
    following_count: int
    posts_count: int
    has_exchange: bool
    viewer: Relation | None

from typing_extensions import TypedDict

from wxc.http.answers import answer


@answer({"following": True, "followers_count": 129})
class FollowState(TypedDict):
    """Whether you follow the user, and their number of followers."""

    following: bool
    """Whether you follow the user."""
    followers_count: int
    """The user's number of followers."""


@answer({"blocking": True})
class BlockState(TypedDict):
    """Whether you have blocked the user."""

    blocking: bool
    """Whether you have blocked the user."""


@answer({"muting": True})
class MuteState(TypedDict):
    """Whether you have muted the user."""

    muting: bool
    """Whether you have muted the user."""

"""Response schemas of follows, blocks and mutes."""

from typing_extensions import TypedDict

from wxc.http.answers import answer


@answer({"following": True, "followers_count": 129})
class FollowState(TypedDict):
    """Whether you follow somebody now, and how many do."""

    following: bool
    """Whether you follow them now."""
    followers_count: int
    """How many follow them."""


@answer({"blocking": True})
class BlockState(TypedDict):
    """Whether you block somebody now."""

    blocking: bool
    """Whether you block them now."""


@answer({"muting": True})
class MuteState(TypedDict):
    """Whether you mute somebody now."""

    muting: bool
    """Whether you mute them now."""

"""What following, blocking and muting leave behind."""

from pydantic import ConfigDict

from wxc.http.schemas import Schema


class FollowState(Schema):
    """Whether you follow somebody now, and how many do."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"following": True, "followers_count": 129}]}
    )

    following: bool
    """Whether you follow them now."""
    followers_count: int
    """How many follow them."""


class BlockState(Schema):
    """Whether you block somebody now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"blocking": True}]})

    blocking: bool
    """Whether you block them now."""


class MuteState(Schema):
    """Whether you mute somebody now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"muting": True}]})

    muting: bool
    """Whether you mute them now."""

"""What following, blocking and muting leave behind."""

from pydantic import BaseModel, ConfigDict


class FollowState(BaseModel):
    """Whether you follow somebody now, and how many do."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"following": True, "followers_count": 129}]},
    )

    following: bool
    """Whether you follow them now."""
    followers_count: int
    """How many follow them."""


class BlockState(BaseModel):
    """Whether you block somebody now."""

    model_config = ConfigDict(
        use_attribute_docstrings=True, json_schema_extra={"examples": [{"blocking": True}]}
    )

    blocking: bool
    """Whether you block them now."""


class MuteState(BaseModel):
    """Whether you mute somebody now."""

    model_config = ConfigDict(
        use_attribute_docstrings=True, json_schema_extra={"examples": [{"muting": True}]}
    )

    muting: bool
    """Whether you mute them now."""

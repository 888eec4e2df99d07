"""What following, blocking and muting leave behind."""

from pydantic import BaseModel


class FollowState(BaseModel):
    """Whether you follow somebody now, and how many do."""

    following: bool
    followers_count: int


class BlockState(BaseModel):
    """Whether you block somebody now."""

    blocking: bool


class MuteState(BaseModel):
    """Whether you mute somebody now."""

    muting: bool

"""What following leaves behind."""

from pydantic import BaseModel


class FollowState(BaseModel):
    """Whether you follow somebody now, and how many do."""

    following: bool
    followers_count: int

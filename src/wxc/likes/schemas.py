"""What liking leaves behind."""

from pydantic import BaseModel


class LikeState(BaseModel):
    """Whether you like it now, and how many do."""

    liked: bool
    likes_count: int

"""Response schema of likes of posts and comments."""

from typing_extensions import TypedDict

from wxc.http.answers import answer


@answer({"liked": True, "likes_count": 8})
class LikeState(TypedDict):
    """Whether you like it now, and how many do."""

    liked: bool
    """Whether you like it now."""
    likes_count: int
    """How many like it."""

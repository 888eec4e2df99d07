from typing_extensions import TypedDict

from wxc.http.answers import answer


@answer({"liked": True, "likes_count": 8})
class LikeState(TypedDict):
    """The likes of a post or comment after the request."""

    liked: bool
    """Whether you like it."""
    likes_count: int
    """The number of likes, including those of users you cannot see."""

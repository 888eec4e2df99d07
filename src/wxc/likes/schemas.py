"""What liking leaves behind."""

from pydantic import ConfigDict

from wxc.http.schemas import Schema


class LikeState(Schema):
    """Whether you like it now, and how many do."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"liked": True, "likes_count": 8}]})

    liked: bool
    """Whether you like it now."""
    likes_count: int
    """How many like it."""

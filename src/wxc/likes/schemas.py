"""What liking leaves behind."""

from pydantic import BaseModel, ConfigDict


class LikeState(BaseModel):
    """Whether you like it now, and how many do."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"liked": True, "likes_count": 8}]},
    )

    liked: bool
    """Whether you like it now."""
    likes_count: int
    """How many like it."""

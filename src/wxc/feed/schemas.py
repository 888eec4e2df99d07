"""What a feed looks like to a client."""

from typing import Literal

from pydantic import ConfigDict

from wxc.core.pagination import Page
from wxc.http.schemas import Schema
from wxc.posts.schemas import Post

Reason = Literal["own", "following", "discover"]
Source = Literal["following", "discover"]


class FeedItem(Schema):
    """One entry of a feed and why it is there."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "post", "reason": "following"}]}
    )

    type: Literal["post"]
    """What the entry is; there are only posts now."""
    reason: Reason
    """Why it is in your feed: you wrote it, you follow who did, or it is a discovery."""
    post: Post
    """The post itself."""


class FeedPage(Page[FeedItem]):
    """One page of a feed."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    source: Source
    """`discover` for who follows nobody and has not written: recent public posts."""

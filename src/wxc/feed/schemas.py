"""What a feed looks like to a client."""

from typing import Literal

from pydantic import BaseModel

from wxc.core.pagination import Page
from wxc.posts.schemas import Post

Reason = Literal["own", "following", "discover"]
Source = Literal["following", "discover"]


class FeedItem(BaseModel):
    """One entry of a feed and why it is there."""

    type: Literal["post"]
    reason: Reason
    post: Post


class FeedPage(Page[FeedItem]):
    """One page of a feed."""

    source: Source
    """`discover` for who follows nobody and has not written: recent public posts."""

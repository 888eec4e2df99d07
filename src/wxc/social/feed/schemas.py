"""Response schemas of the feed."""

from typing import Literal

from typing_extensions import TypedDict

from wxc.http.answers import answer
from wxc.http.pages import PAGE_EXAMPLE, Items, NextCursor, PrevCursor
from wxc.social.posts.schemas import Post

Reason = Literal["own", "following", "discover"]
Source = Literal["following", "discover"]


@answer({"type": "post", "reason": "following"})
class FeedItem(TypedDict):
    """One entry of a feed and why it is there."""

    type: Literal["post"]
    """What the entry is; there are only posts now."""
    reason: Reason
    """Why it is in your feed: you wrote it, you follow who did, or it is a discovery."""
    post: Post
    """The post itself."""


@answer(PAGE_EXAMPLE)
class FeedPage(TypedDict):
    """One page of a feed."""

    items: Items[FeedItem]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
    source: Source
    """`discover` for who follows nobody and has not written: recent public posts."""

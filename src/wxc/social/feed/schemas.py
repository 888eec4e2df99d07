from typing import Literal

from typing_extensions import TypedDict

from wxc.http.answers import answer
from wxc.http.pages import PAGE_EXAMPLE, Items, NextCursor, PrevCursor
from wxc.social.posts.schemas import Post

Reason = Literal["own", "following", "discover"]
Source = Literal["following", "discover"]


@answer({"type": "post", "reason": "following"})
class FeedItem(TypedDict):
    """A feed entry and the reason it is listed."""

    type: Literal["post"]
    """The kind of entry; currently always `post`."""
    reason: Reason
    """`own`: you wrote it; `following`: you follow the author; `discover`: a recent public post."""
    post: Post
    """The listed post."""


@answer(PAGE_EXAMPLE)
class FeedPage(TypedDict):
    """One page of a feed."""

    items: Items[FeedItem]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
    source: Source
    """`discover` (recent public posts) if you follow nobody and never posted; else `following`."""

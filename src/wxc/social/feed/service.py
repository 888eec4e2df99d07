"""What is in a feed, and why."""

from wxc.accounts.auth.context import Principal
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.social.feed.repository import MANY_FOLLOWEES, posts_followed, posts_to_discover
from wxc.social.feed.schemas import FeedItem, FeedPage, Reason
from wxc.social.posts.repository import PostRow
from wxc.social.posts.service import present_post


async def read_feed(db: Handle, me: Principal, page: PageRequest) -> FeedPage:
    """One page of `me`'s feed; a newcomer discovers what others have written."""
    rows = await db.fetch(posts_followed(me.id, page=page, many=MANY_FOLLOWEES))
    discovered = await db.fetch(posts_to_discover(me.id, page=page)) if not rows else []
    # One empty row where a newcomer has nothing to discover.
    is_discovered = bool(discovered)
    found = [row for row in discovered if row is not None] if is_discovered else rows
    page_slice = page.slice(found, key=lambda row: row.id)
    return {
        "items": [_item(row, me, is_discovered=is_discovered) for row in page_slice.rows],
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
        "source": "discover" if is_discovered else "following",
    }


def _item(row: PostRow, me: Principal, *, is_discovered: bool) -> FeedItem:
    reason: Reason = "following"
    if is_discovered:
        reason = "discover"
    elif row.author_id == me.id:
        reason = "own"
    return {"type": "post", "reason": reason, "post": present_post(row)}

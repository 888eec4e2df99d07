from wxc.accounts.auth.context import Principal
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.social.feed.repository import WALK_THRESHOLD, followed_posts, recent_posts
from wxc.social.feed.schemas import FeedItem, FeedPage, Reason
from wxc.social.posts.repository import PostRow
from wxc.social.posts.service import present_post


async def read_feed(db: Handle, me: Principal, page: PageRequest) -> FeedPage:
    """A page of the feed, or of recent public posts if `me` follows nobody and has not posted."""
    rows = await db.fetch(followed_posts(me.id, page=page, walk_threshold=WALK_THRESHOLD))
    discovered = await db.fetch(recent_posts(me.id, page=page)) if not rows else []
    # A single empty row: a newcomer, but there are no public posts.
    is_discovered = bool(discovered)
    found = [row for row in discovered if row is not None] if is_discovered else rows
    page_slice = page.slice(found, key=lambda row: row.id)
    return {
        "items": [_present_item(row, me, is_discovered=is_discovered) for row in page_slice.rows],
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
        "source": "discover" if is_discovered else "following",
    }


def _present_item(row: PostRow, me: Principal, *, is_discovered: bool) -> FeedItem:
    reason: Reason = "following"
    if is_discovered:
        reason = "discover"
    elif row.author_id == me.id:
        reason = "own"
    return {"type": "post", "reason": reason, "post": present_post(row)}

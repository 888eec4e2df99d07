"""What is in a feed, and why."""

from typing import Any

from wxc.auth.context import Principal
from wxc.core.database import Reader
from wxc.db.keyset import PageRequest
from wxc.core.plain import Plain
from wxc.feed.repository import FeedReader
from wxc.feed.schemas import FeedPage, Reason
from wxc.posts.repository import PostRow
from wxc.posts.service import values_of


async def read_feed(reader: Reader, me: Principal, page: PageRequest) -> Plain[FeedPage]:
    """One page of `me`'s feed; a newcomer discovers what others have written."""
    feed = FeedReader(reader)
    rows = await feed.following(me.id, page)
    discovered = await feed.discover(me.id, page) if not rows else None
    cut = page.cut(rows if discovered is None else discovered, key=lambda row: row.id)
    return Plain(
        items=[_item(row, me, is_discovered=discovered is not None) for row in cut.rows],
        next_cursor=cut.next_cursor,
        prev_cursor=cut.prev_cursor,
        source="following" if discovered is None else "discover",
    )


def _item(row: PostRow, me: Principal, *, is_discovered: bool) -> dict[str, Any]:
    reason: Reason = "following"
    if is_discovered:
        reason = "discover"
    elif row.author_id == me.id:
        reason = "own"
    return {"type": "post", "reason": reason, "post": values_of(row)}

"""Exporting an account: each batch is read and its connection released before it is sent.

A later feature adds a list to `Export` and to `LISTINGS`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from wxc.auth.context import Principal
from wxc.auth.errors import SessionExpired
from wxc.auth.repository.accounts import account_by_id
from wxc.auth.service.accounts import present_me
from wxc.core import clock
from wxc.core.decimals import plain
from wxc.core.times import rfc3339
from wxc.db.database import Database
from wxc.db.prepared import PreparedQuery
from wxc.exports.repository import account, exchange, people, posts
from wxc.http.answers import written

BATCH = 500
_FIRST_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of an export."""

    batch: Callable[..., PreparedQuery[Any]]
    """Up to `limit` rows of an account beyond a key, in the order of keys.

    The fields of a row are those of an item, and last its `key`.
    """
    start: object
    """Less than every key."""


LISTINGS: Mapping[str, Listing] = {
    "usernames": Listing(account.usernames, ""),
    "sessions": Listing(account.sessions, _FIRST_ID),
    "posts": Listing(posts.posts, _FIRST_ID),
    "comments": Listing(posts.comments, _FIRST_ID),
    "comment_likes": Listing(posts.comment_likes, _FIRST_ID),
    "likes": Listing(posts.likes, _FIRST_ID),
    "following": Listing(people.following, _FIRST_ID),
    "followers": Listing(people.followers, _FIRST_ID),
    "blocks": Listing(people.blocks, _FIRST_ID),
    "mutes": Listing(people.mutes, _FIRST_ID),
    "exchanges": Listing(exchange.exchanges, _FIRST_ID),
    "rate_events": Listing(exchange.rate_events, 0),
    "exchange_confirmations": Listing(
        exchange.exchange_confirmations, datetime.fromtimestamp(0, UTC)
    ),
    "reports": Listing(account.reports, _FIRST_ID),
    "notifications": Listing(account.notifications, _FIRST_ID),
}
"""The lists of an export by their names there, in its order."""


async def open_export(database: Database, me: Principal) -> AsyncIterator[bytes]:
    """An `Export` as JSON, in pieces of bounded size; raises `SessionExpired` before the first."""
    row = await database.primary.fetch_one(account_by_id(me.id))
    if row is None:
        raise SessionExpired
    return _document(database, me.id, written(present_me(row)))


async def _document(database: Database, user_id: UUID, account: bytes) -> AsyncIterator[bytes]:
    yield b'{"exported_at":' + written(rfc3339(clock.now()))
    yield b',"account":' + account
    for name, listing in LISTINGS.items():
        yield f',"{name}":['.encode()
        async for items in _items(database, listing, user_id):
            yield items
        yield b"]"
    yield b"}"


async def _items(database: Database, listing: Listing, user_id: UUID) -> AsyncIterator[bytes]:
    """The items of a list, separated by commas."""
    after, separator = listing.start, b""
    while True:
        rows = await database.primary.fetch(listing.batch(user_id, after, limit=BATCH))
        if rows:
            items = written([_item(row) for row in rows])
            yield separator + items[1:-1]  # without the brackets
        if len(rows) < BATCH:
            return
        after, separator = rows[-1].key, b","


def _item(row: Any) -> dict[str, object]:  # noqa: ANN401 - a NamedTuple of any list
    fields = zip(row._fields[:-1], row, strict=False)
    return {name: _present(value) for name, value in fields}


def _present(value: object) -> object:
    """The value of a column as the API writes it."""
    match value:
        case UUID():
            return str(value)
        case datetime():
            return rfc3339(value)
        case Decimal():
            return plain(value)
    return value

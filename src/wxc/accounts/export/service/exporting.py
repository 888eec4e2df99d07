"""Streams the export of an account; no connection is held while a batch is sent.

A new feature that stores rows of an account adds a list to `Export` and to `LISTINGS`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.accounts.auth.errors import SessionExpired
from wxc.accounts.auth.repository.accounts import account_by_id
from wxc.accounts.auth.service.accounts import present_me
from wxc.accounts.export.service.listings import LISTINGS, Listing
from wxc.core import clock
from wxc.core.times import rfc3339
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.db.prepared import PreparedQuery
from wxc.http.answers import json_bytes
from wxc.models import AuditKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor

BATCH_SIZE = 500
MAX_OUTAGE = 30.0  # seconds that a batch waits for a connection
_RETRY_INTERVAL = 0.5  # seconds
Row = TypeVar("Row", bound=tuple[Any, ...])


async def open_export(database: Database, me: Principal, actor: Actor) -> AsyncIterator[bytes]:
    """The JSON of an `Export` in bounded chunks; raises `SessionExpired` before the first chunk.

    A later failure breaks the document off, and the server then closes the connection.
    """
    row = await database.primary.fetch_one(account_by_id(me.id))
    if row is None:
        raise SessionExpired
    kind, session_id = AuditKind.EXPORTED, me.session_id
    await audit.record(database.primary, kind, actor, user_id=me.id, session_id=session_id)
    return _document(database, me.id, json_bytes(present_me(row)))


async def _document(database: Database, user_id: UUID, account: bytes) -> AsyncIterator[bytes]:
    yield b'{"exported_at":' + json_bytes(rfc3339(clock.now()))
    yield b',"account":' + account
    for name, listing in LISTINGS.items():
        yield f',"{name}":['.encode()
        async for items in _items(database, listing, user_id):
            yield items
        yield b"]"
    yield b"}"


async def _items(
    database: Database, listing: Listing[Any, Any], user_id: UUID
) -> AsyncIterator[bytes]:
    """The items of a list as JSON, without the brackets."""
    after, separator = listing.start, b""
    while True:
        rows = await _fetch(database, listing.batch(user_id, after, limit=BATCH_SIZE))
        if rows:
            items = json_bytes([listing.present(row) for row in rows])
            yield separator + items[1:-1]
        if len(rows) < BATCH_SIZE:
            return
        after, separator = rows[-1].key, b","


async def _fetch(database: Database, query: PreparedQuery[Row]) -> list[Row]:
    """The rows; waits for the database, since an error would break the document off."""
    deadline = time.monotonic() + MAX_OUTAGE
    while time.monotonic() < deadline:
        with suppress(*UNAVAILABLE_ERRORS):
            return await database.primary.fetch(query)
        await asyncio.sleep(_RETRY_INTERVAL)
    return await database.primary.fetch(query)

"""Writes the audit trail.

An action and its event are written in one transaction, so that both exist or neither does. The
event of a refusal is written separately, after the transaction of the request was rolled back.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Hashable
from datetime import timedelta
from uuid import UUID

from wxc.core import clock
from wxc.core.ids import first_id_at, new_id
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.db.handle import Handle
from wxc.models import AuditKind
from wxc.moderation.audit.actors import Actor
from wxc.moderation.audit.repository import delete_oldest_events, insert_event

_log = logging.getLogger("wxc.audit")
_REFUSAL_TIMEOUT = 2.0  # seconds; the response of a refusal waits at most this long
_MAX_EVENTS, _MAX_ALL_EVENTS = 10, 100  # per minute
_BATCH_SIZE = 10_000  # events per DELETE statement


class EventLimit:
    """At most ten events per minute, key and process, and a hundred in all.

    More would let a client fill the table, and ten are enough to show an attack.
    """

    def __init__(self) -> None:
        self._minute = 0
        self._counts: Counter[Hashable] = Counter()

    def allows(self, key: Hashable) -> bool:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        if self._counts[key] >= _MAX_EVENTS or self._counts.total() >= _MAX_ALL_EVENTS:
            return False
        self._counts[key] += 1
        return True


async def record(
    db: Handle,
    kind: AuditKind,
    actor: Actor,
    *,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    **detail: str | int,
) -> None:
    """Write an event in the transaction of its action.

    `detail` must be at most 4 KiB and contain no secrets, IP addresses or e-mail addresses.
    """
    await db.fetch_one(
        insert_event(
            new_id(),
            clock.now(),
            kind,
            actor.name,
            user_id,
            session_id,
            actor.address_hash,
            actor.request_id,
            detail,
        )
    )


async def record_refusal(
    database: Database,
    kind: AuditKind,
    actor: Actor,
    *,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    **detail: str | int,
) -> None:
    """Write the event of a refusal; logs a warning if the database is unavailable or slow."""
    try:
        async with asyncio.timeout(_REFUSAL_TIMEOUT):
            await record(
                database.primary, kind, actor, user_id=user_id, session_id=session_id, **detail
            )
    except UNAVAILABLE_ERRORS as error:
        _log.warning("Cannot write audit event %s of user %s: %r", kind, user_id, error)


async def delete_expired(database: Database, retention: timedelta) -> None:
    """Delete events older than `retention`, in batches, to stay within the statement timeout."""
    moment, deleted = clock.now() - retention, _BATCH_SIZE
    while deleted == _BATCH_SIZE:
        batch = delete_oldest_events(first_id_at(moment), moment, limit=_BATCH_SIZE)
        deleted = len(await database.primary.fetch(batch))

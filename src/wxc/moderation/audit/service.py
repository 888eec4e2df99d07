"""Writes the audit trail: in the transaction of the event, or by itself for a refusal.

An action and its event are written in one transaction, so both exist or neither does. A refusal
is written after the transaction was rolled back, as a single statement.
"""

import asyncio
import logging
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
_REFUSAL_TIMEOUT = 2.0  # seconds; a refusal waits this long for its event
_BATCH_SIZE = 10_000  # events that one statement deletes


async def record(
    db: Handle,
    kind: AuditKind,
    actor: Actor,
    *,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    **detail: str | int,
) -> None:
    """Write an event, in the transaction of the action it describes.

    `detail` is small and holds neither secrets nor IP addresses nor e-mail addresses.
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
    """Write the event of a refusal; in an outage the event is lost, but the client is answered."""
    try:
        async with asyncio.timeout(_REFUSAL_TIMEOUT):
            await record(
                database.primary, kind, actor, user_id=user_id, session_id=session_id, **detail
            )
    except UNAVAILABLE_ERRORS as error:
        _log.warning("%s of user %s could not be noted: %r", kind, user_id, error)


async def delete_expired(database: Database, retention: timedelta) -> None:
    """Delete events older than `retention`, in batches within the statement timeout."""
    moment, deleted = clock.now() - retention, _BATCH_SIZE
    while deleted == _BATCH_SIZE:
        batch = delete_oldest_events(first_id_at(moment), moment, limit=_BATCH_SIZE)
        deleted = len(await database.primary.fetch(batch))

"""What is kept of an event, and in which transaction.

What is done is recorded by whoever does it, in the same transaction: both are there or neither.
What is refused is noted after the refusal, in a transaction of its own.
"""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit.actors import Actor
from wxc.audit.repository import AuditRepository
from wxc.core import clock
from wxc.core.database import UNREACHABLE, Database
from wxc.models import AuditKind

_log = logging.getLogger("wxc.audit")
_PATIENCE = 2.0  # seconds that a refusal waits for its note
_STEP = 10_000  # rows that are forgotten at once


async def record(
    session: AsyncSession,
    kind: AuditKind,
    actor: Actor,
    *,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    **detail: str | int,
) -> None:
    """Write an event down in the transaction of what it tells about.

    `detail` is small and holds neither secrets nor addresses nor e-mail addresses.
    """
    await AuditRepository(session).add(
        kind, actor, user_id=user_id, session_id=session_id, detail=detail
    )


async def note(
    database: Database,
    kind: AuditKind,
    actor: Actor,
    *,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    **detail: str | int,
) -> None:
    """Write down, at once, what is being refused; an outage costs the row and not the answer."""
    try:
        async with asyncio.timeout(_PATIENCE), database.transaction() as session:
            await record(session, kind, actor, user_id=user_id, session_id=session_id, **detail)
    except UNREACHABLE as error:
        _log.warning("%s of user %s could not be noted: %r", kind, user_id, error)


async def forget(database: Database, retention: timedelta) -> None:
    """Remove what is older than that, in steps that are short enough for any statement's bound."""
    moment, removed = clock.now() - retention, _STEP
    while removed == _STEP:
        async with database.transaction() as session:
            removed = await AuditRepository(session).remove_before(moment, _STEP)

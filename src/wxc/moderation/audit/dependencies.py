import time
from collections import Counter
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from wxc.core import logging as logs
from wxc.http.dependencies import address_of
from wxc.http.refusals.base import Refusal
from wxc.http.services import services_of
from wxc.models import AuditKind
from wxc.moderation.audit import service
from wxc.moderation.audit.actors import Actor

# Refusals that may indicate an attack on another user's account or content.
AUDITED_CODES = frozenset({"csrf_failed", "not_owner", "wrong_password"})
_MAX_EVENTS_PER_MINUTE = 10


def actor_of(request: Request) -> Actor:
    address = services_of(request).identifier_hasher.hash_address(address_of(request))
    return Actor("client", address, logs.request_id.get())


async def current_actor(request: Request) -> Actor:
    return actor_of(request)


def attach_session(request: Request, session_id: UUID) -> None:
    """Attribute refusals of this request to a session whose token has been verified."""
    request.state.session_id = session_id


class RefusalAuditor:
    """Writes audit events for refused requests that have a known session.

    Writes at most ten rows per minute, session and process: more would let a client fill the
    table, and ten are enough to show an attack.
    """

    def __init__(self) -> None:
        self._minute = 0
        self._counts: Counter[UUID] = Counter()

    async def record(self, request: Request, error: Exception) -> None:
        """Write an event if the error is a refusal with an audited code."""
        session_id: UUID | None = getattr(request.state, "session_id", None)
        if session_id is None or not isinstance(error, Refusal):
            return
        if error.code() in AUDITED_CODES and self._is_within_limit(session_id):
            await service.record_refusal(
                services_of(request).database,
                AuditKind.ACCESS_REFUSED,
                actor_of(request),
                session_id=session_id,
                code=error.code(),
            )

    def _is_within_limit(self, session_id: UUID) -> bool:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        self._counts[session_id] += 1
        return self._counts[session_id] <= _MAX_EVENTS_PER_MINUTE


CurrentActor = Annotated[Actor, Depends(current_actor)]

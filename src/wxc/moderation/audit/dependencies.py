from collections.abc import Awaitable, Callable
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


def actor_of(request: Request) -> Actor:
    address = services_of(request).identifier_hasher.hash_address(address_of(request))
    return Actor("client", address, logs.request_id.get())


async def current_actor(request: Request) -> Actor:
    return actor_of(request)


def attach_session(request: Request, session_id: UUID) -> None:
    """Attribute refusals of this request to a session whose token has been verified."""
    request.state.session_id = session_id


class RefusalAuditor:
    """Writes audit events for refused requests that have a known session, within a limit.

    `read_session` reads it from the cookies of a request that was refused before that.
    """

    def __init__(self, read_session: Callable[[Request], Awaitable[UUID | None]]) -> None:
        self._read_session = read_session
        self._limit = service.EventLimit()

    async def record(self, request: Request, error: Exception) -> None:
        """Write an event if the error is a refusal with an audited code."""
        if not isinstance(error, Refusal) or error.code() not in AUDITED_CODES:
            return
        session_id: UUID | None = getattr(request.state, "session_id", None)
        session_id = session_id or await self._read_session(request)
        if session_id is not None and self._limit.allows(session_id):
            await service.record_refusal(
                services_of(request).database,
                AuditKind.ACCESS_REFUSED,
                actor_of(request),
                session_id=session_id,
                code=error.code(),
            )


CurrentActor = Annotated[Actor, Depends(current_actor)]

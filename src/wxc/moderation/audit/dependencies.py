"""Who acts, from a request; and the one place where refused access is noted."""

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

# Codes of refusals that tell of somebody who tries what is not theirs.
TELLING = frozenset({"csrf_failed", "not_owner", "wrong_password"})
_MOST_A_MINUTE = 10


def actor_of(request: Request) -> Actor:
    """Whoever sends the request."""
    address = services_of(request).fingerprints.address(address_of(request))
    return Actor("client", address, logs.request_id.get())


async def acting(request: Request) -> Actor:
    """As `actor_of`."""
    return actor_of(request)


def remember_session(request: Request, session_id: UUID) -> None:
    """Let a refusal of this request be noted as this session's; its token is genuine."""
    request.state.session_id = session_id


class RefusedAccess:
    """Notes what was refused to somebody whose session is known.

    At most ten rows a minute, session and process: what a client can have written for nothing is
    bounded, and the first ten say what is going on.
    """

    def __init__(self) -> None:
        self._minute = 0
        self._noted: Counter[UUID] = Counter()

    async def note(self, request: Request, error: Exception) -> None:
        """Note the refusal, if it is a telling one."""
        session_id: UUID | None = getattr(request.state, "session_id", None)
        if session_id is None or not isinstance(error, Refusal) or error.code() not in TELLING:
            return
        if self._has_room(session_id):
            await service.note(
                services_of(request).database,
                AuditKind.ACCESS_REFUSED,
                actor_of(request),
                session_id=session_id,
                code=error.code(),
            )

    def _has_room(self, session_id: UUID) -> bool:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._noted = minute, Counter()
        self._noted[session_id] += 1
        return self._noted[session_id] <= _MOST_A_MINUTE


Acting = Annotated[Actor, Depends(acting)]

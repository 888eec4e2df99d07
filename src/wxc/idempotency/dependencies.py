"""What a request says about being sent again."""

from typing import Annotated

from fastapi import Depends, Header, Request

from wxc.accounts.auth.dependencies import CurrentUser
from wxc.core.signing import sign
from wxc.http.openapi import raises, sends
from wxc.http.problem_schemas import InvalidPart
from wxc.http.refusals.requests import ValidationFailed
from wxc.http.services import services_of
from wxc.idempotency.errors import IdempotencyInFlight, IdempotencyMismatch
from wxc.idempotency.service import Attempt

_NAME = "Idempotency-Key"
_DESCRIPTION = """
Any text that is new for each thing you want done. Sent again within 24 hours with the same body, it
brings the first answer again, with `Idempotency-Replayed: true`, as long as what was made is there.
"""

IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias=_NAME,
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description=" ".join(_DESCRIPTION.split()),
    ),
]


@sends("Idempotency-Replayed")
@raises(IdempotencyInFlight, IdempotencyMismatch)
async def attempt(
    request: Request, me: CurrentUser, key: IdempotencyHeader = None
) -> Attempt | None:
    """The request as one that may be repeated; None without a key."""
    if key is None:
        return None
    if len(request.headers.getlist(_NAME)) > 1:
        part = InvalidPart(
            pointer=f"header.{_NAME}", code="repeated", message="The header may be sent once."
        )
        raise ValidationFailed(errors=[part])
    sent = request.url.path.lower().encode() + b"\0" + await request.body()
    fingerprint = sign(services_of(request).idempotency_key, sent)
    route = f"{request.method} {request.scope['route'].path}"
    return Attempt(me.id, route, key, fingerprint)


Repeatable = Annotated[Attempt | None, Depends(attempt)]

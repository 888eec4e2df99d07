from typing import Annotated

from fastapi import Depends, Header, Request, Response

from wxc.accounts.auth.dependencies import CurrentUser
from wxc.core.signing import sign
from wxc.http.openapi import raises, sends
from wxc.http.problem_schemas import FieldError
from wxc.http.refusals.requests import ValidationFailed
from wxc.http.services import services_of
from wxc.idempotency.errors import IdempotencyInFlight, IdempotencyMismatch, ReplayedResponse
from wxc.idempotency.service import IdempotentRequest

_HEADER_NAME = "Idempotency-Key"
_DESCRIPTION = """
A unique text for each operation, such as a UUID. A request that is repeated within 24 hours with
the same key and body gets the first response again, with `Idempotency-Replayed: true`, as long as
the created object exists.
"""

IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias=_HEADER_NAME,
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description=" ".join(_DESCRIPTION.split()),
    ),
]


@sends("Idempotency-Replayed")
@raises(IdempotencyInFlight, IdempotencyMismatch)
async def idempotent_request(
    request: Request, me: CurrentUser, key: IdempotencyHeader = None
) -> IdempotentRequest | None:
    """Identifies a request that may be repeated; None without a key."""
    if key is None:
        return None
    if len(request.headers.getlist(_HEADER_NAME)) > 1:
        error = FieldError(
            pointer=f"header.{_HEADER_NAME}",
            code="repeated",
            message="Must be sent only once.",
        )
        raise ValidationFailed(errors=[error])
    path_and_body = request.url.path.lower().encode() + b"\0" + await request.body()
    fingerprint = sign(services_of(request).idempotency_key, path_and_body)
    route = f"{request.method} {request.scope['route'].path}"
    return IdempotentRequest(me.id, route, key, fingerprint)


MaybeIdempotentRequest = Annotated[IdempotentRequest | None, Depends(idempotent_request)]


async def replay_response(_request: Request, first: ReplayedResponse) -> Response:
    """The exception handler that sends the stored response."""
    headers = {"Idempotency-Replayed": "true"}
    if first.location is not None:
        headers["Location"] = first.location
    return Response(first.body, first.status, headers, media_type="application/json")

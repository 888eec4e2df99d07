from collections import Counter
from collections.abc import Container, Sequence
from typing import Annotated

from fastapi import Depends, Header, Request

from wxc.core.events import Events
from wxc.http.compiled_route import CompiledRoute
from wxc.http.openapi import raises, sends
from wxc.http.problem_schemas import FieldError
from wxc.http.problems import MAX_FIELD_ERRORS, pointer_to
from wxc.http.rate_limits import RateLimiter
from wxc.http.refusals.access import RateLimited, TooManyRequests
from wxc.http.refusals.requests import UnknownParameter
from wxc.http.services import services_of


def address_of(request: Request) -> str:
    """The client's IP address: the right-most hop that is not a trusted proxy.

    uvicorn has applied X-Forwarded-For, from `FORWARDED_ALLOW_IPS` only. A client on a Unix socket
    has no address; the result is `local`.
    """
    return request.client.host if request.client else "local"


@sends("RateLimit-Policy", "RateLimit")
@raises(RateLimited)
async def open_rate_limiter(request: Request) -> RateLimiter:
    store = services_of(request).limits
    return RateLimiter(store, address_of(request), request.scope["answer_headers"])


@sends("RateLimit-Policy", "RateLimit")
@raises(TooManyRequests)
async def open_quota_limiter(request: Request) -> RateLimiter:
    """For the quotas of members."""
    store = services_of(request).limits
    headers = request.scope["answer_headers"]
    return RateLimiter(store, address_of(request), headers, TooManyRequests)


Limiter = Annotated[RateLimiter, Depends(open_rate_limiter)]
QuotaLimiter = Annotated[RateLimiter, Depends(open_quota_limiter)]


async def open_events(request: Request) -> Events:
    return services_of(request).events


LiveEvents = Annotated[Events, Depends(open_events)]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The `id` of the last event that you received."),
]


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise `UnknownParameter`, with their names, if parameters are undeclared or repeated."""
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    route: CompiledRoute = request.scope["route"]
    if len(set(names)) != len(names) or not route.query_parameters.keys() >= set(names):
        raise UnknownParameter(errors=_misused_parameters(names, route.query_parameters))


def _misused_parameters(names: Sequence[str], declared: Container[str]) -> list[FieldError]:
    errors = []
    for name, count in Counter(names).items():
        pointer = pointer_to(("query", name))
        if name not in declared:
            message = "This parameter is unknown."
            errors.append(FieldError(pointer=pointer, code="unknown_parameter", message=message))
        elif count > 1:
            message = "This parameter is repeated."
            errors.append(FieldError(pointer=pointer, code="repeated_parameter", message=message))
    return errors[:MAX_FIELD_ERRORS]

"""What a router asks for, as `Annotated` aliases."""

from typing import Annotated

from fastapi import Depends, Header, Request

from wxc.core.events import Events
from wxc.http.compiled_route import CompiledRoute
from wxc.http.openapi import raises, sends
from wxc.http.rate_limits import Throttle
from wxc.http.refusals import RateLimited, UnknownParameter
from wxc.http.services import services_of


def address_of(request: Request) -> str:
    """The IP address that asks: the right-most hop that no trusted proxy has added.

    uvicorn has read X-Forwarded-For by then, from `FORWARDED_ALLOW_IPS` only. Who comes by a
    local socket has none: `local`.
    """
    return request.client.host if request.client else "local"


async def client_address(request: Request) -> str:
    """As `address_of`."""
    return address_of(request)


@sends("RateLimit-Policy", "RateLimit")
@raises(RateLimited)
async def open_throttle(request: Request) -> Throttle:
    """The limits, as this request's client meets them."""
    limits = services_of(request).limits
    return Throttle(limits, address_of(request), request.scope["answer_headers"])


ClientAddress = Annotated[str, Depends(client_address)]
Throttled = Annotated[Throttle, Depends(open_throttle)]


async def open_events(request: Request) -> Events:
    """What wakes those who wait for something to happen."""
    return services_of(request).events


LiveEvents = Annotated[Events, Depends(open_events)]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The `id` of the last event that was received."),
]


async def refuse_unknown_parameters(request: Request) -> None:
    """Every query parameter must be one the route declares, and appear once."""
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    route: CompiledRoute = request.scope["route"]
    if len(set(names)) != len(names) or not route.query_parameters.issuperset(names):
        raise UnknownParameter

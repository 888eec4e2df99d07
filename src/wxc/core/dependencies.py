"""What a router asks for, as `Annotated` aliases."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from wxc.core.errors import InvalidCursor, RateLimited, UnknownParameter
from wxc.core.events import Events
from wxc.core.limits import Throttle
from wxc.core.openapi import raises, sends
from wxc.db import database as db
from wxc.db import session
from wxc.db.keyset import DEFAULT_LIMIT, GREATEST_LIMIT, PageRequest, list_scope
from wxc.http.compiled_route import CompiledRoute
from wxc.http.services import services_of


async def open_database(request: Request) -> db.Database:
    """The handle for prepared queries in autocommit, and for short transactions."""
    return services_of(request).database


async def open_session(request: Request) -> AsyncIterator[session.Session]:
    """Commit once when the endpoint has returned; roll back if it raises."""
    async with services_of(request).database.transaction() as opened:
        yield opened


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
Database = Annotated[db.Database, Depends(open_database)]
# scope="function" commits before the first response byte. FastAPI's default scope commits
# after it, so that a failed COMMIT would still have answered 2xx.
Session = Annotated[session.Session, Depends(open_session, scope="function")]


async def refuse_unknown_parameters(request: Request) -> None:
    """Every query parameter must be one the route declares, and appear once."""
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    route: CompiledRoute = request.scope["route"]
    if len(set(names)) != len(names) or not route.query_parameters.issuperset(names):
        raise UnknownParameter


def _plain_number(value: object) -> object:
    """Digits only: pydantic itself also reads `+5`, `1_0` and `5.0`."""
    if isinstance(value, str) and not re.fullmatch(r"0|[1-9][0-9]{0,2}", value, re.ASCII):
        raise PydanticCustomError("int_parsing", "The value is not a number of up to 3 digits.")
    return value


PlainNumber = BeforeValidator(_plain_number)
Limit = Annotated[
    int,
    Field(ge=1, le=GREATEST_LIMIT),
    PlainNumber,
    Query(description="How many items a page may hold."),
]
CursorParameter = Annotated[
    str | None,
    Query(description="`next_cursor` or `prev_cursor` of a page of this very list."),
]


@raises(InvalidCursor)
async def paging(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> PageRequest:
    """The page that is asked for; its cursors hold for this route, path and filters only."""
    return page_request(request, "", limit, cursor)


def page_request(request: Request, owner: str, limit: int, cursor: str | None) -> PageRequest:
    """A page of the list at this address, belonging to `owner` where it is somebody's own."""
    scope = scope_of(request, owner)
    return PageRequest(services_of(request).cursors, scope, limit, cursor)


def scope_of(request: Request, owner: str = "") -> str:
    """The name of the list that this request reads, its filters among it."""
    is_filtered = bool(request.scope["query_string"])
    parameters = request.query_params.multi_items() if is_filtered else []
    filters = [pair for pair in parameters if pair[0] not in ("limit", "cursor")]
    return list_scope(request.scope["path"], owner, filters)


Paging = Annotated[PageRequest, Depends(paging)]

import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from wxc.core.decimals import decimal_text
from wxc.core.times import rfc3339
from wxc.db import database as db
from wxc.db import session
from wxc.db.keyset import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, list_scope
from wxc.http.compiled_route import CompiledRoute
from wxc.http.openapi import raises
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of


async def open_database(request: Request) -> db.Database:
    return services_of(request).database


async def open_session(request: Request) -> AsyncIterator[session.Session]:
    """Commit once when the endpoint has returned; roll back if it raises."""
    async with services_of(request).database.transaction() as new_session:
        yield new_session


Database = Annotated[db.Database, Depends(open_database)]
# scope="function" commits before the first response byte. FastAPI's default scope commits after it,
# and would respond with 2xx to a failed COMMIT.
Session = Annotated[session.Session, Depends(open_session, scope="function")]


def _require_digits(value: object) -> object:
    """Accept digits only: pydantic also accepts `+5`, `1_0` and `5.0`."""
    if isinstance(value, str) and not re.fullmatch(r"0|[1-9][0-9]{0,2}", value, re.ASCII):
        raise PydanticCustomError("int_parsing", "Must be a whole number of up to 3 digits.")
    return value


PlainNumber = BeforeValidator(_require_digits)
Limit = Annotated[
    int,
    Field(ge=1, le=MAX_LIMIT),
    PlainNumber,
    Query(description="Maximum number of items on the page."),
]
CursorParameter = Annotated[
    str | None,
    Query(description="`next_cursor` or `prev_cursor` from a page of the same list and filters."),
]


@raises(InvalidCursor)
async def paging(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> PageRequest:
    """The requested page; its cursors are valid for this route, path and filters only."""
    return page_request(request, "", limit, cursor)


def page_request(request: Request, owner: str, limit: int, cursor: str | None) -> PageRequest:
    """A page of the list at this address; `owner` distinguishes a user's own list."""
    scope = scope_of(request, owner)
    return PageRequest(services_of(request).cursors, scope, limit, cursor)


def scope_of(request: Request, owner: str = "", *effective: tuple[str, object]) -> str:
    """The name of the list that this request reads, including its filters in effect.

    A filter that equals its default is the same as one left out. `effective` are the values of
    parameters whose defaults depend on others; None leaves the parameter out.
    """
    filters = dict(_filters(request)) if request.scope["query_string"] else {}
    filters |= {name: _canonical(value) for name, value in effective}
    pairs = [(name, value) for name, value in filters.items() if value is not None]
    return list_scope(request.scope["path"], owner, pairs)


def _filters(request: Request) -> Iterator[tuple[str, str | None]]:
    """The filters that differ from their defaults; FastAPI refuses the invalid ones afterwards."""
    route: CompiledRoute = request.scope["route"]
    for name in sorted(request.query_params.keys() - {"limit", "cursor"}):
        text, parameter = request.query_params[name], route.query_parameters[name]
        value, errors = parameter.validate(text)
        if errors or value != parameter.default:
            yield name, text if errors else _canonical(value)


def _canonical(value: object) -> str | None:
    """The same text for equal values, as a client would write them."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float():
            return repr(value).removesuffix(".0")
        case Decimal():
            return decimal_text(value.normalize())
        case datetime():
            return rfc3339(value)
    return str(value)


Paging = Annotated[PageRequest, Depends(paging)]

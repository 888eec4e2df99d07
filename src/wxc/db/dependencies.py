import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from wxc.db import database as db
from wxc.db import session
from wxc.db.keyset import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, list_scope
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


def scope_of(request: Request, owner: str = "") -> str:
    """The name of the list that this request reads, including its filters."""
    is_filtered = bool(request.scope["query_string"])
    parameters = request.query_params.multi_items() if is_filtered else []
    filters = [pair for pair in parameters if pair[0] not in ("limit", "cursor")]
    return list_scope(request.scope["path"], owner, filters)


Paging = Annotated[PageRequest, Depends(paging)]

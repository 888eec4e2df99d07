"""The parameters of a search for users."""

from typing import Annotated

from fastapi import Depends, Query, Request

from wxc.core.text import Text
from wxc.db.dependencies import CursorParameter, Limit, scope_of
from wxc.db.keyset import DEFAULT_LIMIT, Order, PageRequest
from wxc.http.openapi import raises
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of

SearchText = Annotated[
    str,
    Text(50, one_line=True),
    Query(description="What is looked for, letter by letter and in whatever case."),
]


@raises(InvalidCursor)
async def ranked_page(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> PageRequest:
    """The requested page; its cursors are valid for this text only."""
    scope = scope_of(request)
    return PageRequest(services_of(request).cursors, scope, limit, cursor, order=Order.BY_RANK)


RankedPage = Annotated[PageRequest, Depends(ranked_page)]

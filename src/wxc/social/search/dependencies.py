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
    Query(
        description="The text to search for; accents and case are ignored, there are no wildcards."
    ),
]


@raises(InvalidCursor)
async def ranked_page(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> PageRequest:
    """Its cursors are valid only for the same search text."""
    scope = scope_of(request)
    return PageRequest(services_of(request).cursors, scope, limit, cursor, order=Order.BY_RANK)


RankedPage = Annotated[PageRequest, Depends(ranked_page)]

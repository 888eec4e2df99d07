"""What a query says about whom to find."""

from typing import Annotated

from fastapi import Depends, Query, Request

from wxc.core.dependencies import CursorParameter, Limit, scope_of
from wxc.core.pagination import DEFAULT_LIMIT
from wxc.core.ranking import RankedRequest
from wxc.core.text import Text
from wxc.http.services import services_of

SearchText = Annotated[
    str,
    Text(50, one_line=True),
    Query(description="What is looked for, letter by letter and in whatever case."),
]


async def ranked(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> RankedRequest:
    """The page that is asked for; its cursors hold for this text only."""
    return RankedRequest(services_of(request).cursors, scope_of(request), limit, cursor)


Ranked = Annotated[RankedRequest, Depends(ranked)]

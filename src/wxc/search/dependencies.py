"""What a query says about whom to find."""

from typing import Annotated

from fastapi import Depends, Query, Request

from wxc.core.dependencies import CursorParameter, Limit, open_cursors, scope_of
from wxc.core.errors import InvalidCursor
from wxc.core.openapi import raises
from wxc.core.ranking import RankedRequest
from wxc.core.text import Text
from wxc.db.keyset import DEFAULT_LIMIT

SearchText = Annotated[
    str,
    Text(50, one_line=True),
    Query(description="What is looked for, letter by letter and in whatever case."),
]


@raises(InvalidCursor)
async def ranked(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> RankedRequest:
    """The page that is asked for; its cursors hold for this text only."""
    return RankedRequest(open_cursors(request), scope_of(request), limit, cursor)


Ranked = Annotated[RankedRequest, Depends(ranked)]

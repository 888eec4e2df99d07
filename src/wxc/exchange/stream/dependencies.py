from typing import Annotated

from fastapi import Depends

from wxc.accounts.auth.dependencies import MaybeUser, ViewerSlot
from wxc.db.dependencies import Database
from wxc.exchange.boards.errors import ExchangeNotFound
from wxc.exchange.stream import service
from wxc.exchange.stream.service import WatchedBoard
from wxc.http.openapi import raises
from wxc.social.users.dependencies import PathUsername


@raises(ExchangeNotFound)
async def watched_board(
    username: PathUsername, viewer: MaybeUser, _slot: ViewerSlot, database: Database
) -> WatchedBoard:
    """Raises `UserNotFound`, `ExchangeNotFound`.

    The slot is acquired first: a viewer without a slot must not wait for the database.
    """
    return await service.open_board(database, username, viewer)


RequestedBoard = Annotated[WatchedBoard, Depends(watched_board)]

"""The limit of this machine: the very SQL of `GET /feeds` as a bare ASGI application.

asyncpg's own pool and prepared statements, orjson, no routing, no session, no checks: what is left
to win lies between this and the product. It answers `/feeds?me=UUID` for one member each.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NoReturn, cast
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from sqlalchemy import ClauseElement, make_url
from sqlalchemy.sql.compiler import SQLCompiler
from starlette.types import Receive, Scope, Send

from wxc.core.database import Reader
from wxc.core.pagination import CursorSealer, PageRequest
from wxc.feed.repository import FeedReader

_ANYBODY = UUID("00000000-0000-7000-8000-000000000001")
_PAGE = 20
_JSON = [(b"content-type", b"application/json")]


class _Caught(Exception):  # noqa: N818 - it carries what would have been executed
    def __init__(self, statement: ClauseElement, parameters: Mapping[str, Any]) -> None:
        self.statement = statement
        self.parameters = parameters


class _Catcher:
    """A reader that hands out the statement instead of executing it."""

    async def execute(self, statement: ClauseElement, parameters: Mapping[str, Any]) -> NoReturn:
        raise _Caught(statement, parameters)


@cache
def statement() -> tuple[str, Callable[[UUID], Sequence[Any]]]:
    """The SQL of a feed's first page as the product has it, and its parameters for a member."""
    dialect = make_url("postgresql+asyncpg://").get_dialect()
    page = PageRequest(CursorSealer(b"a key that seals nothing"), "", _PAGE, None)
    try:
        FeedReader(cast(Reader, _Catcher())).following(_ANYBODY, page).send(None)
    except _Caught as caught:
        compiled = cast(SQLCompiler, caught.statement.compile(dialect=dialect()))
        values = compiled.params | caught.parameters
    ordered = [values[name] for name in compiled.positiontup or ()]
    return str(compiled), lambda me: [me if one == _ANYBODY else one for one in ordered]


class Limit:
    """The ASGI application."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url.replace("+asyncpg", "", 1)
        self._sql, self._parameters = statement()
        self._pool: asyncpg.Pool[asyncpg.Record]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the process's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b"{}"
        if scope["path"] == "/feeds":
            body = await self._feed(UUID(scope["query_string"][3:].decode()))
        await send({"type": "http.response.start", "status": 200, "headers": _JSON})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        # As many connections as a worker of the product has.
        self._pool = await asyncpg.create_pool(self._url, min_size=8, max_size=12)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _feed(self, me: UUID) -> bytes:
        rows = await self._pool.fetch(self._sql, *self._parameters(me))
        newest = sorted(rows, key=lambda row: row["id"], reverse=True)
        items = [_item(row, me) for row in newest[:_PAGE]]
        return orjson.dumps({"items": items, "source": "following"})


def _item(row: asyncpg.Record, me: UUID) -> dict[str, Any]:
    author = row["author_id"]
    return {
        "type": "post",
        "reason": "own" if author == me else "following",
        "post": {
            "id": str(row["id"]),
            "author": {
                "id": str(author),
                "username": row["username"],
                "display_name": row["display_name"],
                "avatar_url": row["avatar_url"],
            },
            "body": row["body"],
            "created_at": _time(row["created_at"]),
            "edited_at": _time(row["edited_at"]),
            "likes_count": row["likes_count"],
            "comments_count": row["comments_count"],
            "viewer": {"liked": row["liked"]},
        },
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def main(arguments: Sequence[str]) -> None:
    """Serve, with the event loop and the parser that the product has."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    chosen = parser.parse_args(arguments)
    app = Limit(os.environ["DATABASE_URL"])
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main(sys.argv[1:])

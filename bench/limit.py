"""The limit of this machine: the work of some requests as a bare ASGI application.

It uses asyncpg's pool, prepared statements and orjson, without routing or sessions. The difference
to the product is the most that the product could gain. `/feeds?me=UUID` runs the same statement as
the product. A like, `POST` or `DELETE /posts/UUID/like?me=UUID`, is one statement that writes the
same rows.
"""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.types import Receive, Scope, Send

from bench.server import serve
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.db.cursors import CursorSigner
from wxc.db.keyset import PageRequest
from wxc.db.prepared import PreparedQuery
from wxc.social.feed.repository import WALK_THRESHOLD, followed_posts
from wxc.social.posts.repository import PostRow

_PAGE = 20
_JSON = [(b"content-type", b"application/json")]


@cache
def statement() -> tuple[str, Callable[[UUID], Sequence[Any]]]:
    """The product's SQL for the first page of a feed, and a function for its parameters."""
    page = PageRequest(CursorSigner(b"an unused key"), "", _PAGE, None)

    def query(me: UUID) -> PreparedQuery[PostRow]:
        return followed_posts(me, page=page, walk_threshold=WALK_THRESHOLD)

    return query(new_id()).compiled.sql, lambda me: query(me).arguments


class Limit:
    def __init__(self, database_url: str) -> None:
        self._url = database_url.replace("+asyncpg", "", 1)
        self._sql, self._parameters = statement()
        self._pool: asyncpg.Pool[asyncpg.Record]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        status, body = 200, b"{}"
        if scope["path"] == "/feeds":
            body = await self._feed(_me(scope))
        elif scope["path"].endswith("/like"):
            status, body = await self._like(_me(scope), scope["path"], scope["method"] == "POST")
        await send({"type": "http.response.start", "status": status, "headers": _JSON})
        await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        # As many connections as a worker of the product has.
        self._pool = await asyncpg.create_pool(
            self._url, min_size=8, max_size=12, server_settings={"jit": "off"}
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _feed(self, me: UUID) -> bytes:
        rows = await self._pool.fetch(self._sql, *self._parameters(me))
        newest = sorted(rows, key=lambda row: row["id"], reverse=True)
        items = [_feed_item(row, me) for row in newest[:_PAGE]]
        return orjson.dumps({"items": items, "source": "following"})

    async def _like(self, me: UUID, path: str, is_liked: bool) -> tuple[int, bytes]:
        post = UUID(path[len("/posts/") : -len("/like")])
        row: asyncpg.Record | None
        if is_liked:
            row = await self._pool.fetchrow(_LIKE, me, post, new_id(), new_id(), clock.now())
        else:
            row = await self._pool.fetchrow(_UNLIKE, me, post)
        if row is None:
            return 404, b"{}"
        return 200, orjson.dumps({"liked": is_liked, "likes_count": row["likes_count"]})


def _me(scope: Scope) -> UUID:
    return UUID(scope["query_string"][3:].decode())


def _feed_item(row: asyncpg.Record, me: UUID) -> dict[str, Any]:
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
            "created_at": _rfc3339(row["created_at"]),
            "edited_at": _rfc3339(row["edited_at"]),
            "likes_count": row["likes_count"],
            "comments_count": row["comments_count"],
            "viewer": {"liked": row["liked"]},
        },
    }


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def main(arguments: Sequence[str]) -> None:
    serve(Limit(os.environ["DATABASE_URL"]), arguments, proxy_headers=False)


# The reads and writes of the product's statements, under the lock of the post.
_LOCK_POST = """
    WITH post AS (
        SELECT posts.id, author_id, likes_count
        FROM posts JOIN users ON users.id = author_id
        WHERE posts.id = $2 AND suspended_at IS NULL
          AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = author_id AND blocked_id = $1)
          AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = $1 AND blocked_id = author_id)
        FOR NO KEY UPDATE OF posts
    )"""
_LIKE = f"""{_LOCK_POST}, changed AS (
        INSERT INTO post_likes (id, user_id, post_id, created_at)
        SELECT $3, $1, id, $5 FROM post ON CONFLICT DO NOTHING RETURNING id
    ), updated AS (
        UPDATE posts SET likes_count = likes_count + 1
        WHERE id = $2 AND EXISTS (SELECT FROM changed) RETURNING likes_count
    ), notified AS (
        INSERT INTO notifications (id, recipient_id, type, actor_id, subject_id, group_id, post_id,
                                   created_at)
        SELECT $4, author_id, 'post_like', $1, id, id, id, $5 FROM post
        WHERE author_id <> $1 AND EXISTS (SELECT FROM changed)
        ON CONFLICT (actor_id, recipient_id, type, subject_id) DO UPDATE SET hidden_at = NULL
    )
    SELECT coalesce((SELECT likes_count FROM updated), likes_count) AS likes_count FROM post"""  # noqa: S608 - constants
_UNLIKE = f"""{_LOCK_POST}, changed AS (
        DELETE FROM post_likes WHERE user_id = $1 AND post_id = (SELECT id FROM post) RETURNING id
    ), updated AS (
        UPDATE posts SET likes_count = likes_count - 1
        WHERE id = $2 AND EXISTS (SELECT FROM changed) RETURNING likes_count
    ), withdrawn AS (
        UPDATE notifications SET hidden_at = now()
        WHERE actor_id = $1 AND recipient_id = (SELECT author_id FROM post) AND type = 'post_like'
          AND subject_id = $2 AND EXISTS (SELECT FROM changed)
    )
    SELECT coalesce((SELECT likes_count FROM updated), likes_count) AS likes_count FROM post"""  # noqa: S608 - constants


if __name__ == "__main__":
    main(sys.argv[1:])

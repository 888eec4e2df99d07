"""Databases of `wxc demo --members N`, cached between runs."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench.settings import environment, wxc
from wxc.core import clock
from wxc.core.ids import first_id_at

DEFAULT_MEMBERS = 50_000
POSTS_PER_MEMBER = 20  # in the demo
_ROOT = Path(__file__).resolve().parents[1]
# The content of a database depends on these files.
_CONTENT_SOURCES = ("src/wxc/demo/*.*", "alembic/versions/*.py")


def filled_database(members: int) -> str:
    return cached_database(f"wxc_filled_{members}_", members)


def cached_database(
    prefix: str,
    members: int,
    finish: Callable[[str], None] = lambda _: None,
    sources: Sequence[str] = (),
) -> str:
    """The URL of a database, filled unless an earlier run has done so.

    `finish` adds rows; `sources` are the files that define it. Databases with the prefix that were
    filled by an older version of the sources are dropped.
    """
    url = os.environ["DATABASE_URL"]
    name = prefix + _fingerprint(*sources)
    cached_url = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    if not asyncio.run(_prepare_cached(url, name, prefix)):
        print(f"Filling a database of {members:,} members (once) ...", file=sys.stderr)
        settings = environment(cached_url)
        for command in (["migrate"], ["demo", "--members", str(members)]):
            subprocess.run([wxc(), *command], env=settings, check=True)
        finish(cached_url)
        asyncio.run(_mark_filled(cached_url, url, name))
    return cached_url


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection to the database of a SQLAlchemy URL."""
    return await asyncpg.connect(url.replace("+asyncpg", "", 1))


def fetch_rows(url: str, statement: str, *parameters: object) -> Sequence[asyncpg.Record]:
    """Execute and commit a statement; returns its rows."""

    async def fetch() -> Sequence[asyncpg.Record]:
        connection = await connect(url)
        await connection.execute("SET statement_timeout = 0")  # a limit for requests
        fetched: Sequence[asyncpg.Record] = await connection.fetch(statement, *parameters)
        await connection.close()
        return fetched

    return asyncio.run(fetch())


@contextmanager
def undo_writes(url: str) -> Iterator[None]:
    """On exit, delete the posts and comments written since the start."""
    first = first_id_at(clock.now())
    try:
        yield
    finally:
        fetch_rows(url, _UNDO_COMMENTS, first)
        fetch_rows(url, _UNDO_NOTIFICATIONS, first)
        fetch_rows(url, _UNDO_POSTS, first)


def _fingerprint(*sources: str) -> str:
    files = sorted(
        path for pattern in (*_CONTENT_SOURCES, *sources) for path in _ROOT.glob(pattern)
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


async def _prepare_cached(url: str, name: str, prefix: str) -> bool:
    """Create the database and drop older ones; True if it already exists and is complete."""
    connection = await connect(url)
    databases = await connection.fetch(
        "SELECT datname, shobj_description(oid, 'pg_database') = 'filled' AS is_finished"
        " FROM pg_database WHERE starts_with(datname, $1)",
        prefix,
    )
    is_cached = any(row["datname"] == name and row["is_finished"] for row in databases)
    for row in databases:
        if not (is_cached and row["datname"] == name):
            await connection.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
    if not is_cached:
        await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    return is_cached


async def _mark_filled(filled_url: str, url: str, name: str) -> None:
    """Vacuum and analyse the database, and mark it as complete."""
    connection = await connect(filled_url)
    await connection.execute("SET statement_timeout = 0")  # a limit for requests
    await connection.execute("VACUUM (ANALYZE)")
    await connection.close()
    connection = await connect(url)
    await connection.execute(f"COMMENT ON DATABASE \"{name}\" IS 'filled'")
    await connection.close()


_UNDO_COMMENTS = """
    WITH undone AS (DELETE FROM comments WHERE id >= $1 RETURNING post_id),
    counted AS (SELECT post_id, count(*) AS n FROM undone GROUP BY post_id)
    UPDATE posts SET comments_count = comments_count - n FROM counted WHERE id = post_id
"""
_UNDO_NOTIFICATIONS = "DELETE FROM notifications WHERE id >= $1"
_UNDO_POSTS = """
    WITH undone AS (DELETE FROM posts WHERE id >= $1 RETURNING author_id),
    counted AS (SELECT author_id, count(*) AS n FROM undone GROUP BY author_id)
    UPDATE users SET posts_count = posts_count - n FROM counted WHERE id = author_id
"""

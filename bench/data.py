"""The database that is measured: `wxc demo --members N`, kept between runs."""

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

MEMBERS = 50_000
POSTS_PER_MEMBER = 20  # as the demo has it
_ROOT = Path(__file__).resolve().parents[1]
# What decides what is in it.
_SOURCES = ("src/wxc/demo*", "alembic/versions/*.py")


def filled(members: int) -> str:
    """The URL of a database with so many members."""
    return kept(f"wxc_filled_{members}_", members)


def kept(
    prefix: str,
    members: int,
    finish: Callable[[str], None] = lambda _: None,
    sources: Sequence[str] = (),
) -> str:
    """The URL of a database, filled now unless an earlier run has done it.

    `finish` adds to it, and is defined in `sources`. What is there of that prefix and was made by
    an older demo, schema or source is dropped.
    """
    url = os.environ["DATABASE_URL"]
    name = prefix + _fingerprint(*sources)
    kept_url = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    if not asyncio.run(_is_kept(url, name, prefix)):
        print(f"Filling a database of {members:,} members (once) ...", file=sys.stderr)
        settings = environment(kept_url)
        for command in (["migrate"], ["demo", "--members", str(members)]):
            subprocess.run([wxc(), *command], env=settings, check=True)
        finish(kept_url)
        asyncio.run(_finish(kept_url, url, name))
    return kept_url


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection to the database at one of our URLs."""
    return await asyncpg.connect(url.replace("+asyncpg", "", 1))


def rows(url: str, statement: str, *parameters: object) -> Sequence[asyncpg.Record]:
    """What a statement returns; what it changes is committed."""

    async def fetch() -> Sequence[asyncpg.Record]:
        connection = await connect(url)
        await connection.execute("SET statement_timeout = 0")  # the role's is for requests
        found: Sequence[asyncpg.Record] = await connection.fetch(statement, *parameters)
        await connection.close()
        return found

    return asyncio.run(fetch())


@contextmanager
def writes_undone(url: str) -> Iterator[None]:
    """Delete the posts and comments of the block: feeds and threads are as they were filled."""
    first = first_id_at(clock.now())
    try:
        yield
    finally:
        rows(url, _UNDO_COMMENTS, first)
        rows(url, _UNDO_NOTIFICATIONS, first)
        rows(url, _UNDO_POSTS, first)


def _fingerprint(*sources: str) -> str:
    files = sorted(path for pattern in (*_SOURCES, *sources) for path in _ROOT.glob(pattern))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


async def _is_kept(url: str, name: str, prefix: str) -> bool:
    """Whether it is there and was finished; what is in the way is dropped."""
    connection = await connect(url)
    found = await connection.fetch(
        "SELECT datname, shobj_description(oid, 'pg_database') = 'filled' AS is_finished"
        " FROM pg_database WHERE starts_with(datname, $1)",
        prefix,
    )
    is_kept = any(row["datname"] == name and row["is_finished"] for row in found)
    for row in found:
        if not (is_kept and row["datname"] == name):
            await connection.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
    if not is_kept:
        await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    return is_kept


async def _finish(filled_url: str, url: str, name: str) -> None:
    """Leave it as autovacuum would after a while, and say that nothing is missing."""
    connection = await connect(filled_url)
    await connection.execute("SET statement_timeout = 0")  # the role's is for requests
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

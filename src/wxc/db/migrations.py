"""Runs Alembic, which is imported lazily: the import takes a fifth of the server's start."""

import logging
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

# Shorter than DATABASE_LOCK_TIMEOUT: requests that queue behind a waiting migration do not fail.
BOUNDS = {"lock_timeout": "1s", "statement_timeout": "5s"}
_log = logging.getLogger("wxc.migrations")
_ATTEMPTS = 10
_MAX_PAUSE = 8.0  # seconds between attempts
_LOCKED = ("55P03", "40P01")  # lock_not_available, deadlock_detected
# The migrations that `0001_initial` replaces, newest first. New ones must not reuse these names.
_SQUASHED = tuple(f"{number:04}" for number in range(17, 0, -1))
_SQUASHED_INTO = "0001_initial"
_LAST_WITH_SQUASHED = "933f6c7"  # the last commit with them; no release was tagged


class SchemaConflict(Exception):  # noqa: N818 - for the operator, not a bug
    """The database cannot be migrated; the message contains the steps for the operator."""


@cache
def schema_revisions() -> tuple[str, ...]:
    """All revisions that this code knows, including squashed ones, newest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    revisions = tuple(script.revision for script in scripts.walk_revisions())
    if not revisions:
        raise RuntimeError("alembic/versions contains no migrations")
    return revisions + _SQUASHED


def migrate() -> None:
    """Upgrade to the newest revision; a second runner waits for the first (see alembic/env.py).

    A migration that times out waiting for a lock is retried after a pause.
    """
    from alembic import command

    retry_when_locked(lambda: command.upgrade(alembic_config(), "head"))


def retry_when_locked(run: Callable[[], object]) -> None:
    """Call `run` again after a pause if it could not get a lock."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            run()
        except (DBAPIError, asyncpg.PostgresError) as error:
            sqlstate = getattr(getattr(error, "orig", error), "sqlstate", None)
            if sqlstate not in _LOCKED or attempt == _ATTEMPTS:
                raise
            _log.warning("could not get a lock; attempt %d of %d", attempt, _ATTEMPTS)
            jitter = random.uniform(0.5, 1)  # noqa: S311 - not a secret
            time.sleep(min(2.0 ** (attempt - 2), _MAX_PAUSE) * jitter)
        else:
            return


def recognise(connection: Connection) -> None:
    """Rename the last squashed revision to `0001_initial`, whose schema is the same.

    The caller holds the lock for migrations, and commits. Raises `SchemaConflict` if the revision
    is older or unknown.
    """
    revision = _revision(connection)
    if revision == _SQUASHED[0]:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :into"), {"into": _SQUASHED_INTO}
        )
        _log.info("the database's revision %s is now %s", revision, _SQUASHED_INTO)
    elif revision in _SQUASHED:
        raise SchemaConflict(
            f"the database is at revision {revision}, which this release cannot upgrade: check out "
            f"commit {_LAST_WITH_SQUASHED} and run its `wxc migrate`, then that of this release."
        )
    elif revision is not None and revision not in schema_revisions():
        raise SchemaConflict(
            f"the database is at revision {revision}, which this release does not know: run "
            "`wxc migrate` of the release that made it, or of a later one."
        )


def _revision(connection: Connection) -> str | None:
    """The revision of the schema; None for a database without one."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def write_sql(revisions: str = "head") -> None:
    """Print the SQL of the upgrade to `revisions`."""
    from alembic import command

    command.upgrade(alembic_config(), revisions, sql=True)


@contextmanager
def unhurried() -> Iterator[None]:
    """Disable time-outs for slow statements that lock nothing, such as CREATE INDEX CONCURRENTLY.

    Leaves the migration's transaction: earlier statements are committed and must be repeatable.
    """
    from alembic import op

    with op.get_context().autocommit_block():
        for bound in BOUNDS:
            op.execute(f"SET {bound} = 0")
        yield
        for bound, value in BOUNDS.items():
            op.execute(f"SET {bound} = '{value}'")


def alembic_config() -> "AlembicConfig":
    """`alembic.ini` in the working directory, as in the container, or in the checkout."""
    from alembic.config import Config as AlembicConfig

    for folder in (Path.cwd(), Path(__file__).parents[3]):
        if (folder / "alembic.ini").is_file():
            return AlembicConfig(folder / "alembic.ini", stdout=sys.stdout)
    raise FileNotFoundError("alembic.ini is neither in the working directory nor in the checkout")

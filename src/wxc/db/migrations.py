"""Bringing the database's schema to what the code expects.

Alembic is imported when it is called for: it takes a fifth of the time in which the server starts.
"""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

# A migration neither queues behind traffic for long, nor has traffic queue behind it: its wait is
# shorter than that of the requests behind it (DATABASE_LOCK_TIMEOUT).
BOUNDS = {"lock_timeout": "1s", "statement_timeout": "5s"}
_log = logging.getLogger("wxc.migrations")
_ATTEMPTS = 10
_LONGEST_PAUSE = 8.0  # seconds between two of them
_LOCKED = ("55P03", "40P01")  # a lock was not to be had in time; a deadlock


class SchemaConflict(Exception):  # noqa: N818 - a fact
    """The rows do not allow the change; the message says what an operator has to do first."""


@cache
def schema_revisions() -> tuple[str, ...]:
    """All revisions that this code knows, the newest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    revisions = tuple(script.revision for script in scripts.walk_revisions())
    if not revisions:
        raise RuntimeError("alembic/versions holds no migration")
    return revisions


def migrate() -> None:
    """Upgrade to the newest revision; a second runner waits for the first (see alembic/env.py).

    A migration that does not get its locks at once lets traffic go first, and tries again.
    """
    from alembic import command

    for attempt in range(1, _ATTEMPTS + 1):
        try:
            command.upgrade(alembic_config(), "head")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _LOCKED or attempt == _ATTEMPTS:
                raise
            _log.warning("a lock was not to be had; attempt %d of %d", attempt, _ATTEMPTS)
            time.sleep(min(2.0 ** (attempt - 2), _LONGEST_PAUSE) * random.uniform(0.5, 1))  # noqa: S311
        else:
            return


def write_sql(revisions: str = "head") -> None:
    """Print the statements that lead to these revisions."""
    from alembic import command

    command.upgrade(alembic_config(), revisions, sql=True)


@contextmanager
def unhurried() -> Iterator[None]:
    """For what takes long and locks nothing, as an index that is built CONCURRENTLY.

    The migration leaves its transaction: what it did before is committed, and must be repeatable.
    """
    from alembic import op

    with op.get_context().autocommit_block():
        for bound in BOUNDS:
            op.execute(f"SET {bound} = 0")
        yield
        for bound, value in BOUNDS.items():
            op.execute(f"SET {bound} = '{value}'")


def alembic_config() -> "AlembicConfig":
    """`alembic.ini` beside the process, as in the container, else that of the checkout."""
    from alembic.config import Config as AlembicConfig

    for folder in (Path.cwd(), Path(__file__).parents[3]):
        if (folder / "alembic.ini").is_file():
            return AlembicConfig(folder / "alembic.ini")
    raise FileNotFoundError("alembic.ini is neither in the working folder nor in the checkout")

"""Bringing the database's schema to what the code expects.

Alembic is imported when it is called for: it takes a fifth of the time in which the server starts.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig


@cache
def schema_head() -> str:
    """The newest revision in `alembic/`."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("alembic/versions holds no migration")
    return head


def migrate() -> None:
    """Upgrade to the newest revision; a second runner waits for the first (see alembic/env.py)."""
    from alembic import command

    command.upgrade(alembic_config(), "head")


def alembic_config() -> "AlembicConfig":
    """`alembic.ini` beside the process, as in the container, else that of the checkout."""
    from alembic.config import Config as AlembicConfig

    for folder in (Path.cwd(), Path(__file__).parents[2]):
        if (folder / "alembic.ini").is_file():
            return AlembicConfig(folder / "alembic.ini")
    raise FileNotFoundError("alembic.ini is neither in the working folder nor in the checkout")

"""Bringing the database's schema to what the code expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory


def schema_head() -> str:
    """The newest revision in `alembic/`."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("alembic/versions holds no migration")
    return head


def migrate() -> None:
    """Upgrade to the newest revision; a second runner waits for the first (see alembic/env.py)."""
    command.upgrade(alembic_config(), "head")


def alembic_config() -> AlembicConfig:
    """`alembic.ini` beside the process, as in the container, else that of the checkout."""
    for folder in (Path.cwd(), Path(__file__).parents[2]):
        if (folder / "alembic.ini").is_file():
            return AlembicConfig(folder / "alembic.ini")
    raise FileNotFoundError("alembic.ini is neither in the working folder nor in the checkout")

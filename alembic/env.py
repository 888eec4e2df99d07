"""Run migrations with bounded locks, one runner at a time.

Each migration is a transaction of its own, so that one may leave it for an index that is built
CONCURRENTLY, and a second attempt goes on where the first was stopped. See docs/migrations.md.
"""

import asyncio
from collections.abc import Mapping

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from wxc.core.config import MigrationConfig
from wxc.db.migrations import BOUNDS, recognise
from wxc.models import Base

# Any number will do, as long as every runner takes the same one.
_ONE_RUNNER = 7_258_214_033
# Whoever comes later waits here for as long as the first one may take, then finds nothing to do.
_TURN = {"lock_timeout": "60s", "statement_timeout": "0"}
# For whatever connects as this role: the application sets its own, and they are the same.
_ROLE = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
}


def migrate(connection: Connection) -> None:
    """Bring the schema to the wanted revision, when it is this runner's turn."""
    _set(connection, "SET", _TURN)
    connection.execute(text(f"SELECT pg_advisory_lock({_ONE_RUNNER})"))
    _set(connection, "SET", BOUNDS)
    connection.commit()
    recognise(connection)
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        include_object=alembic_helpers.include_object,
        process_revision_directives=alembic_helpers.writer,
        render_item=alembic_helpers.render_item,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    database = connection.scalar(text("SELECT quote_ident(current_database())"))
    _set(connection, f"ALTER ROLE CURRENT_USER IN DATABASE {database} SET", _ROLE)
    connection.commit()


async def connect_and_migrate() -> None:
    """Connect as the settings say and migrate; the turn ends with the connection."""
    engine = create_async_engine(MigrationConfig().url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


def write_sql() -> None:
    """Write what the migrations would do, for those who want to read it, and for the linter."""
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # the driver's own would double each %
        transaction_per_migration=True,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _set(connection: Connection, command: str, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        connection.execute(text(f"{command} {name} = '{value}'"))


if context.is_offline_mode():
    write_sql()
else:
    asyncio.run(connect_and_migrate())

"""Runs migrations with bounded locks, one runner at a time.

Each migration has its own transaction, so that it can leave it to build an index CONCURRENTLY, and
a retry continues after the last finished migration. See docs/migrations.md.
"""

import asyncio
from collections.abc import Callable, Mapping

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from wxc.core.config import MigrationConfig
from wxc.core.database_urls import libpq_url
from wxc.db.errors import hide_details
from wxc.db.migrations import BOUNDS, recognise
from wxc.db.service_role import grants_to
from wxc.models import Base

_CONFIG = MigrationConfig()
_ADVISORY_LOCK_ID = 7_258_214_033
# For the advisory lock: a second runner waits for the first, then finds nothing to do.
_WAIT_TIMEOUTS = {"lock_timeout": "60s", "statement_timeout": "0"}
# For all connections of this role; the application sets the same values on its own.
_ROLE_TIMEOUTS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
}


def migrate(connection: Connection) -> None:
    """Wait for other runners, then migrate the schema and grant the service its rights."""
    _set(connection, "SET", _WAIT_TIMEOUTS)
    connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK_ID})"))
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
    if _CONFIG.service_role:
        connection.exec_driver_sql(grants_to(_CONFIG.service_role))
    connection.commit()


def set_role_timeouts(connection: Connection) -> None:
    """Set the time-outs of the connection's role, which every role may do for itself."""
    database = connection.scalar(text("SELECT quote_ident(current_database())"))
    _set(connection, f"ALTER ROLE CURRENT_USER IN DATABASE {database} SET", _ROLE_TIMEOUTS)
    connection.commit()


async def connect_and_migrate() -> None:
    """Migrate as the owner of the schema, then set the time-outs of owner and service."""
    await run_as(_CONFIG.url, migrate)
    for url in {_CONFIG.url, _CONFIG.service_url}:
        await run_as(url, set_role_timeouts)


async def run_as(url: str, use: Callable[[Connection], None]) -> None:
    """Connect and use the connection; closing it releases the advisory lock."""
    engine = create_async_engine(
        make_url(url).difference_update_query(("ssl", "sslrootcert")),
        connect_args={"dsn": libpq_url(url)},  # SQLAlchemy does not know sslrootcert
        poolclass=NullPool,
        hide_parameters=True,
    )
    hide_details(engine.sync_engine)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(use)
    finally:
        await engine.dispose()


def write_sql() -> None:
    """Print the SQL of the migrations, for review and for the linter."""
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # the driver's style would double each %
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

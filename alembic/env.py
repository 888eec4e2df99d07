"""Run migrations with bounded locks, one runner at a time."""

import asyncio
import os

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from wxc.core.config import asyncpg_url
from wxc.models import Base

# Any number will do, as long as every runner takes the same one.
_ONE_RUNNER = 7_258_214_033


def migrate(connection: Connection) -> None:
    """Bring the schema to the wanted revision in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=alembic_helpers.include_object,
        process_revision_directives=alembic_helpers.writer,
        render_item=alembic_helpers.render_item,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        # A second runner waits here, for as long as the first one may take; then finds
        # nothing to do. A migration itself never queues behind traffic for long.
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_RUNNER})
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        connection.execute(text("SET LOCAL statement_timeout = '60s'"))
        context.run_migrations()


async def connect_and_migrate() -> None:
    """Connect as the environment says and migrate."""
    url = os.environ.get("DATABASE_DIRECT_URL") or os.environ["DATABASE_URL"]
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_migrate())

"""Row 82: a migration under load and a long transaction, while the previous release serves."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.faults.load import Load, count_posts, register
from tests.support.database import owner_url
from tests.support.server import run_server
from wxc.db import migrations

ROOT = Path(__file__).parents[2]
_WAITING = "could not get a lock; attempt 1 "
_EXPANSION = """
from alembic import op
import sqlalchemy as sa
from wxc.db.migrations import unhurried

revision, down_revision, branch_labels, depends_on = "9001", "{head}", None, None


def upgrade():
    op.add_column("posts", sa.Column("mood", sa.String(20), nullable=True))
    op.execute("ALTER TABLE posts ADD CONSTRAINT ck_mood CHECK (mood <> '') NOT VALID")


def downgrade():
    op.drop_column("posts", "mood")
"""
_INDEX = """
from alembic import op
from wxc.db.migrations import unhurried

revision, down_revision, branch_labels, depends_on = "9002", "9001", None, None


def upgrade():
    op.execute("ALTER TABLE posts VALIDATE CONSTRAINT ck_mood")
    with unhurried():
        op.drop_index("ix_posts_mood", if_exists=True, postgresql_concurrently=True)
        op.create_index("ix_posts_mood", "posts", ["mood"], postgresql_concurrently=True)


def downgrade():
    op.drop_index("ix_posts_mood", "posts")
"""


@pytest.mark.faults
async def test_no_request_fails_while_the_schema_changes(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    _write_release(release)
    with ExitStack() as stack:
        server = run_server(fresh_database_url, redis_url, tmp_path / "log")
        port, _ = await asyncio.to_thread(stack.enter_context, server)
        url = f"http://127.0.0.1:{port}"
        await register(url)
        load = Load(url)
        async with load.running():
            await asyncio.sleep(1)
            async with _long_transaction(fresh_database_url) as commit:
                code, log = await _migrate(release, fresh_database_url, commit)
            await asyncio.sleep(1)

    assert (code, load.failures) == (0, []), log
    assert _WAITING in log
    assert load.answered > 100
    assert await count_posts(fresh_database_url) == load.written
    connection = await asyncpg.connect(fresh_database_url.replace("+asyncpg", ""))
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9002"
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_posts_mood'::regclass"
    assert await connection.fetchval(valid)
    await connection.close()


def _write_release(folder: Path) -> None:
    """Write the migrations of this release, followed by two new ones."""
    shutil.copytree(ROOT / "alembic", folder / "alembic")
    shutil.copy(ROOT / "alembic.ini", folder)
    versions = folder / "alembic" / "versions"
    head = migrations.schema_revisions()[0]
    (versions / "9001_expansion.py").write_text(_EXPANSION.format(head=head))
    (versions / "9002_index.py").write_text(_INDEX)


@asynccontextmanager
async def _long_transaction(database_url: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Open a transaction that has read posts; yields the function that commits it."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SELECT 1 FROM posts LIMIT 1")
    yield transaction.commit
    await connection.close()


async def _migrate(
    release: Path, database_url: str, commit: Callable[[], Awaitable[None]]
) -> tuple[int, str]:
    """Run `wxc migrate` and commit the long transaction after its first failed attempt."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from wxc.cli.main import app; app()", "migrate"),
        cwd=release,
        env=os.environ
        | {
            "ENVIRONMENT": "development",
            "DATABASE_URL": database_url,
            "DATABASE_OWNER_URL": owner_url(database_url),
            "REDIS_URL": "redis://nowhere",
            "SECRET_KEY": "s",
            "JWT_SECRET_KEY": "j",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    log = ""
    async for line in process.stderr:
        log += line.decode()
        if _WAITING in line.decode():
            await commit()
    return await process.wait(), log

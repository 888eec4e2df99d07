"""Row 84: neither PostgreSQL's log nor ours contains the values of statements."""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from dev_tools import postgres
from dev_tools.engines import require_postgres
from dev_tools.paths import remove_folder
from dev_tools.processes import Supervisor
from tests.support.database import owner_url
from tests.support.deployments import ROOT, aws_resources, compose_services
from tests.support.server import environment
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.core.logging import json_formatter
from wxc.db.database import Database
from wxc.db.migrations import schema_revisions
from wxc.db.prepared import prepared
from wxc.models import RowId, UsedUsername

PRIVATE = {
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
VALUE = "ada_private_value"


def compose_settings() -> dict[str, str]:
    options = compose_services()["db"]["command"]
    return dict(option.split("=", 1) for option in options[2::2])


def cloud_settings() -> dict[str, str]:
    return dict(aws_resources()["DatabaseParameters"]["Properties"]["Parameters"])


def documented_settings() -> dict[str, str]:
    found = [
        line.strip().removeprefix("ALTER SYSTEM SET ").rstrip(";").split(" = ")
        for line in (ROOT / "docs/operations.md").read_text().splitlines()
        if line.strip().startswith("ALTER SYSTEM SET ")
    ]
    return {name: value.strip("'") for name, value in found}


@pytest.mark.parametrize("settings", [compose_settings, cloud_settings, documented_settings])
def test_every_deployment_keeps_values_out_of_the_server_log(
    settings: Callable[[], dict[str, str]],
) -> None:
    found = settings()

    assert {name: found.get(name) for name in PRIVATE} == PRIVATE


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder that the service account can enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="wxc-test-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    remove_folder(path)


async def test_slow_and_failed_statements_are_logged_without_values(state: Path) -> None:
    """On a server of `./dev`; run, test and bench start it in the same way."""
    cluster = postgres.copy_template(state, state / "postgres", require_postgres())
    with Supervisor(state / "record") as supervisor:
        url = postgres.start(supervisor, cluster, {"log_min_duration_statement": "0"})
        await _insert_twice(url.replace("+asyncpg", ""))

    logged = cluster.log.read_text()
    assert "INSERT INTO people VALUES ($1)" in logged
    assert "duplicate key value violates unique constraint" in logged
    assert VALUE not in logged


async def _insert_twice(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE people (email text PRIMARY KEY)")
        await connection.execute("INSERT INTO people VALUES ($1)", VALUE)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO people VALUES ($1)", VALUE)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.copy_records_to_table("people", records=[(VALUE,)])
    finally:
        await connection.close()


@prepared(RowId)
def insert_name(name: str) -> Any:
    return (
        insert(UsedUsername)
        .values(name=name, user_id=new_id(), taken_at=text("now()"))
        .returning(UsedUsername.user_id.label("id"))
    )


async def write_by_query(database: Database) -> None:
    await database.primary.fetch(insert_name(VALUE))


async def write_in_session(database: Database) -> None:
    async with database.transaction() as session:
        await session.fetch(insert_name(VALUE))


async def write_by_sqlalchemy(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(insert(UsedUsername).values(name=VALUE, user_id=new_id()))


async def write_by_engine(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(insert(UsedUsername).values(name=VALUE, user_id=new_id()))


@pytest.fixture
async def database(config: Config, fresh_database_url: str) -> AsyncIterator[Database]:
    changed = {"database_url": fresh_database_url, "database_pool_size": 2}
    database = Database(config.model_copy(update=changed))
    yield database
    await database.close()


@pytest.mark.parametrize(
    "write", [write_by_query, write_in_session, write_by_sqlalchemy, write_by_engine]
)
async def test_a_failed_write_is_logged_without_values(
    database: Database,
    write: Callable[[Database], Awaitable[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await write(database)

    try:
        await write(database)
    except Exception:
        logging.getLogger("wxc.somewhere").exception("a write has failed")

    logged = json_formatter().format(caplog.records[-1])
    assert "duplicate key value violates unique constraint" in logged
    assert VALUE not in logged


_FAILING_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9000_fails", "{head}", None, None


def upgrade():
    rows = sa.text("INSERT INTO used_usernames VALUES (:name, gen_random_uuid(), now())")
    for _ in range(2):
        op.get_bind().execute(rows, {{"name": "{value}"}})
"""


def test_a_failed_migration_prints_no_values(fresh_database_url: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "alembic", tmp_path / "alembic")
    shutil.copy(ROOT / "alembic.ini", tmp_path)
    migration = _FAILING_MIGRATION.format(head=schema_revisions()[0], value=VALUE)
    (tmp_path / "alembic" / "versions" / "9000_fails.py").write_text(migration)

    ran = subprocess.run(  # noqa: S603
        [str(Path(sys.executable).with_name("wxc")), "migrate"],
        cwd=tmp_path,
        env=os.environ
        | environment(fresh_database_url, "redis://nowhere")
        | {"DATABASE_OWNER_URL": owner_url(fresh_database_url)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1, ran.stderr
    assert "duplicate key value violates unique constraint" in ran.stderr
    assert VALUE not in ran.stderr + ran.stdout

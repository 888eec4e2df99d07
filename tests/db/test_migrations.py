"""The schema goes up, down and up again, with data in it, and is what the models say."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from tests.conftest import fill_with_noise
from tests.support.database import administer, drop_database, renamed
from typer.testing import CliRunner

from wxc.cli import main as cli
from wxc.db import migrations


@pytest.fixture
def empty_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database without a schema, to which the migrations lead."""
    server, name = os.environ["WXC_TEST_DATABASE_URL"], f"wxc_test_{uuid4().hex[:12]}"
    asyncio.run(administer(server, f'CREATE DATABASE "{name}"'))
    monkeypatch.setenv("DATABASE_DIRECT_URL", renamed(server, name))
    yield renamed(server, name)
    asyncio.run(drop_database(server, name))


def test_up_down_and_up_again_with_data_in_it(empty_url: str) -> None:
    config = migrations.alembic_config()

    migrations.migrate()
    asyncio.run(fill_with_noise(empty_url))
    command.downgrade(config, "base")
    migrations.migrate()

    command.check(config)  # raises where the models say something else
    migrations.migrate()  # at the head there is nothing to do


def test_two_runners_at_once_do_the_work_once(empty_url: str) -> None:
    async def both() -> list[int]:
        runs = [
            await asyncio.create_subprocess_exec("wxc", "migrate", env=_environment(empty_url))
            for _ in range(2)
        ]
        return [await run.wait() for run in runs]

    assert asyncio.run(both()) == [0, 0]


BASELINE = "0011"
"""The schema of the first release: these migrations have met no live table."""


def squawk(sql: str) -> list[str]:
    """What the linter says of statements for a live table."""
    command = [str(Path(sys.executable).with_name("squawk")), "--reporter", "json"]
    ran = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)  # noqa: S603
    return [found["rule_name"] for found in json.loads(ran.stdout)]


def test_no_migration_after_the_first_release_locks_a_live_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    migrations.write_sql(f"{BASELINE}:head")

    assert squawk(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX i ON posts (x)", "require-concurrent-index-creation"),
        ("ALTER TABLE posts ALTER x SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE posts ADD CHECK (x > 0)", "constraint-missing-not-valid"),
        ("ALTER TABLE posts ALTER x TYPE text", "changing-column-type"),
        ("ALTER TABLE posts RENAME x TO y", "renaming-column"),
        ("DROP TABLE posts", "ban-drop-table"),
    ],
)
def test_the_linter_knows_what_would(statement: str, rule: str) -> None:
    assert rule in squawk(f"BEGIN; {statement}; COMMIT;")


def test_statements_are_written_for_who_wants_to_read_them() -> None:
    written = CliRunner().invoke(cli.app, ["migrate", "--sql"]).output

    assert "CREATE TABLE posts" in written
    assert f"version_num='{migrations.schema_revisions()[0]}'" in written


class TestRights:
    """The role of the application may create nothing but its own tables."""

    @pytest.fixture
    def limited_url(self, empty_url: str) -> Iterator[str]:
        role = f"limited_{uuid4().hex[:8]}"
        url = make_url(empty_url).set(username=role, password="its own")
        yield url.render_as_string(hide_password=False)
        asyncio.run(administer(empty_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}"))

    def test_the_administrator_makes_the_role_and_what_it_may_not(
        self, empty_url: str, limited_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DATABASE_DIRECT_URL")
        for name, value in _environment(limited_url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DATABASE_ADMIN_URL", empty_url)

        for _ in range(2):
            answer = CliRunner().invoke(cli.app, ["migrate"])
            assert answer.exit_code == 0, answer.output

        async def look() -> tuple[str, bool]:
            connection = await asyncpg.connect(limited_url.replace("+asyncpg", ""))
            bound = await connection.fetchval("SHOW statement_timeout")
            rights = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = user")
            await connection.close()
            return bound, rights

        assert asyncio.run(look()) == ("5s", False)

    def test_a_database_that_is_not_there_is_told_apart(
        self, empty_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for url, code in (("postgresql://a@127.0.0.1:1/x", 3), (renamed(empty_url, "none"), 1)):
            for name, value in _environment(url).items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("DATABASE_DIRECT_URL", url)
            assert CliRunner().invoke(cli.app, ["migrate"]).exit_code == code


def test_a_lock_that_is_not_to_be_had_is_waited_for(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[float] = []

    def upgrade(*_: Any) -> None:
        if len(tries) < 3:
            error = asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
            raise OperationalError("ALTER TABLE posts", {}, error)

    monkeypatch.setattr(command, "upgrade", upgrade)
    monkeypatch.setattr("time.sleep", tries.append)

    migrations.migrate()

    assert len(tries) == 3
    assert tries[0] <= 1
    monkeypatch.setattr(migrations, "_ATTEMPTS", 2)
    tries.clear()
    with pytest.raises(OperationalError):
        migrations.migrate()


def _environment(url: str) -> dict[str, str]:
    return dict(os.environ) | {
        "ENVIRONMENT": "development",
        "DATABASE_URL": url,
        "REDIS_URL": "redis://nowhere",
        "SECRET_KEY": "s",
        "JWT_SECRET_KEY": "j",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def test_outside_a_checkout_the_missing_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(migrations, "__file__", "/nowhere/src/wxc/db/migrations.py")
    monkeypatch.chdir(tmp_path)
    migrations.schema_revisions.cache_clear()

    with pytest.raises(FileNotFoundError, match=r"alembic\.ini"):
        migrations.schema_revisions()

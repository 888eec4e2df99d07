"""Migrations can be applied and reverted with data, and lead to the schema of the models."""

import asyncio
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from tests.conftest import fill_with_noise
from tests.support.database import administer, drop_database, renamed
from typer.testing import CliRunner

from wxc.cli import main as cli
from wxc.db import migrations

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database without a schema, at DATABASE_DIRECT_URL."""
    server, name = os.environ["WXC_TEST_DATABASE_URL"], f"wxc_test_{uuid4().hex[:12]}"
    asyncio.run(administer(server, f'CREATE DATABASE "{name}"'))
    monkeypatch.setenv("DATABASE_DIRECT_URL", renamed(server, name))
    yield renamed(server, name)
    asyncio.run(drop_database(server, name))


def test_upgrade_downgrade_and_upgrade_with_data(empty_url: str) -> None:
    config = migrations.alembic_config()

    migrations.migrate()
    asyncio.run(fill_with_noise(empty_url))
    command.downgrade(config, "base")
    migrations.migrate()

    command.check(config)  # raises if the models differ
    migrations.migrate()  # does nothing at the head


def test_two_concurrent_runners_migrate_once(empty_url: str) -> None:
    async def both() -> list[int]:
        runs = [
            await asyncio.create_subprocess_exec("wxc", "migrate", env=environment_of(empty_url))
            for _ in range(2)
        ]
        return [await run.wait() for run in runs]

    assert asyncio.run(both()) == [0, 0]


BASELINE = "0001_initial"
"""The first release, before which no table was live."""


def squawk(sql: str) -> list[str]:
    """The rules of the linter that the statements break."""
    command = [str(Path(sys.executable).with_name("squawk")), "--reporter", "json"]
    ran = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)  # noqa: S603
    return [finding["rule_name"] for finding in json.loads(ran.stdout)]


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
def test_the_linter_finds_statements_that_lock_a_live_table(statement: str, rule: str) -> None:
    assert rule in squawk(f"BEGIN; {statement}; COMMIT;")


def test_a_revision_is_named_like_its_file() -> None:
    """So no revision is called `0002`, like one that `0001_initial` replaces."""
    for script in ScriptDirectory.from_config(migrations.alembic_config()).walk_revisions():
        assert script.revision == Path(script.path).stem
        assert len(script.revision) <= 32  # the width of alembic_version.version_num


def test_the_printed_sql_creates_the_same_schema(empty_url: str) -> None:
    written = CliRunner().invoke(cli.app, ["migrate", "--sql"]).stdout

    # One by one, as psql does: an index is built outside of transactions.
    statements = filter(None, written.split(";\n\n"))
    asyncio.run(administer(empty_url, *statements))

    command.check(migrations.alembic_config())
    assert _rows(empty_url)["alembic_version"] == [f"({migrations.schema_revisions()[0]})"]


@pytest.fixture
def settings(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a command that uses the empty database."""
    for name, value in environment_of(empty_url).items():
        monkeypatch.setenv(name, value)


DUMPS = ROOT / "tests" / "dumps"
_ROWS = 'SELECT row::text FROM "{}" AS row ORDER BY 1'
_NEXT_MIGRATION = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002_next", "{head}", None, None


def upgrade():
    op.execute("CREATE TABLE next ()")
"""


class TestSquashedRevisions:
    """Databases of the migrations 0001 to 0017, which `0001_initial` replaces.

    `dumps/0014.sql.gz` is from commit 0dd7aa4 (`wxc migrate`, `wxc demo`, and manual rows in tables
    that the demo leaves empty), `dumps/0017.sql.gz` from `wxc migrate` of commit 933f6c7 on that
    database, both dumped by `pg_dump --inserts --no-owner --no-privileges`.
    """

    def test_the_last_squashed_revision_is_upgraded_without_loss(
        self, empty_url: str, tmp_path: Path
    ) -> None:
        _restore("0017", empty_url)
        before = _rows(empty_url)
        _write_next_release(tmp_path)

        code, log = _migrate(empty_url, tmp_path)

        assert code == 0, log
        assert log.count("the database's revision 0017 is now 0001_initial") == 1
        after = _rows(empty_url)
        assert after.pop("next") == []
        assert (before.pop("alembic_version"), after.pop("alembic_version")) == (
            ["(0017)"],
            ["(0002_next)"],
        )
        assert {
            table: _first_columns(after[table], rows) for table, rows in before.items()
        } == before
        assert len(before) == 20
        assert all(before.values()), "a table without rows proves nothing"

    def test_the_last_squashed_revision_has_the_schema_of_a_new_database(
        self, empty_url: str
    ) -> None:
        _restore("0017", empty_url)

        migrations.migrate()

        command.check(migrations.alembic_config())
        assert _rows(empty_url)["alembic_version"] == [f"({migrations.schema_revisions()[0]})"]
        command.downgrade(migrations.alembic_config(), "base")
        assert _rows(empty_url) == {"alembic_version": []}

    def test_an_older_revision_is_refused_with_instructions(
        self, empty_url: str, settings: None
    ) -> None:
        _restore("0014", empty_url)
        before = _rows(empty_url)

        refused = CliRunner().invoke(cli.app, ["migrate"])

        assert (refused.exit_code, refused.output) == (
            1,
            "wxc: the database is at revision 0014, which this release cannot upgrade: check out "
            "commit 933f6c7 and run its `wxc migrate`, then that of this release.\n",
        )
        assert _rows(empty_url) == before

    def test_an_unknown_revision_is_refused(self, empty_url: str, settings: None) -> None:
        migrations.migrate()
        asyncio.run(administer(empty_url, "UPDATE alembic_version SET version_num = '9999_later'"))

        refused = CliRunner().invoke(cli.app, ["migrate"])

        assert (refused.exit_code, refused.output) == (
            1,
            "wxc: the database is at revision 9999_later, which this release does not know: run "
            "`wxc migrate` of the release that made it, or of a later one.\n",
        )


def _restore(revision: str, url: str) -> None:
    """Fill an empty database from the dump of that revision."""
    dump = gzip.decompress((DUMPS / f"{revision}.sql.gz").read_bytes()).decode()
    asyncio.run(administer(url, dump))


def _write_next_release(folder: Path) -> None:
    """Write the migrations of this release and one more to `folder`."""
    shutil.copytree(ROOT / "alembic", folder / "alembic")
    shutil.copy(ROOT / "alembic.ini", folder)
    text = _NEXT_MIGRATION.format(head=migrations.schema_revisions()[0])
    (folder / "alembic" / "versions" / "0002_next.py").write_text(text)


def _migrate(url: str, folder: Path) -> tuple[int, str]:
    """The exit status and the log of `wxc migrate` with the migrations in `folder`."""
    ran = subprocess.run(  # noqa: S603
        [str(Path(sys.executable).with_name("wxc")), "migrate"],
        cwd=folder,
        env=environment_of(url),
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stderr


def _first_columns(rows: list[str], before: list[str]) -> list[str]:
    """The rows without the columns that later migrations have added behind those of `before`."""
    return [
        f"{old[:-1]})" if row.startswith(f"{old[:-1]},") else row
        for row, old in zip(rows, before, strict=True)
    ]


def _rows(url: str) -> dict[str, list[str]]:
    """All rows of our tables as text, by table."""

    async def read() -> dict[str, list[str]]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename <> 'spatial_ref_sys'"
        )
        rows = {
            table: [row[0] for row in await connection.fetch(_ROWS.format(table))]
            for (table,) in tables
        }
        await connection.close()
        return rows

    return asyncio.run(read())


class TestRights:
    """The application's role can create only its own tables."""

    @pytest.fixture
    def limited_url(self, empty_url: str) -> Iterator[str]:
        role = f"limited_{uuid4().hex[:8]}"
        url = make_url(empty_url).set(username=role, password="its own")
        yield url.render_as_string(hide_password=False)
        asyncio.run(administer(empty_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}"))

    def test_the_administrator_creates_the_role_and_the_extensions(
        self, empty_url: str, limited_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DATABASE_DIRECT_URL")
        for name, value in environment_of(limited_url).items():
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

    def test_an_unreachable_server_and_a_missing_database_have_different_exit_codes(
        self, empty_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for url, code in (("postgresql://a@127.0.0.1:1/x", 3), (renamed(empty_url, "none"), 1)):
            for name, value in environment_of(url).items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("DATABASE_DIRECT_URL", url)
            assert CliRunner().invoke(cli.app, ["migrate"]).exit_code == code


def test_a_migration_is_retried_after_a_lock_timeout(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    def upgrade(*_: Any) -> None:
        if len(pauses) < 3:
            error = asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
            raise OperationalError("ALTER TABLE posts", {}, error)

    monkeypatch.setattr(command, "upgrade", upgrade)
    monkeypatch.setattr("time.sleep", pauses.append)

    migrations.migrate()

    assert len(pauses) == 3
    assert pauses[0] <= 1
    monkeypatch.setattr(migrations, "_ATTEMPTS", 2)
    pauses.clear()
    with pytest.raises(OperationalError):
        migrations.migrate()


def environment_of(url: str) -> dict[str, str]:
    return dict(os.environ) | {
        "ENVIRONMENT": "development",
        "DATABASE_URL": url,
        "REDIS_URL": "redis://nowhere",
        "SECRET_KEY": "s",
        "JWT_SECRET_KEY": "j",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def test_a_missing_alembic_ini_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(migrations, "__file__", "/nowhere/src/wxc/db/migrations.py")
    monkeypatch.chdir(tmp_path)
    migrations.schema_revisions.cache_clear()

    with pytest.raises(FileNotFoundError, match=r"alembic\.ini"):
        migrations.schema_revisions()

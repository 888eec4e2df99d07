import os
from pathlib import Path

import pytest
from alembic import command
from pydantic import ValidationError
from sqlalchemy import make_url
from typer.testing import CliRunner

from wxc.cli import main as cli
from wxc.core.config import Config
from wxc.db import migrations

APPLICATION = {"secret_key", "jwt_secret_key", "database_password"}
ADMIN = {"database_owner_password", "database_admin_password"}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound
run = CliRunner()


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://cache")
    monkeypatch.setenv("DATABASE_URL", "postgresql://wxc@db:5432/wxc")


def make(folder: Path, **environment: str) -> str:
    """Run the command with both directories and return its output."""
    paths = [str(folder / "app"), "--admin", str(folder / "admin")]
    answer = run.invoke(cli.app, ["config", "make-secrets", *paths], env=environment)
    assert answer.exit_code == 0, answer.output
    return answer.output


def json_bytes(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


class TestCommand:
    def test_application_and_admin_secrets_are_in_separate_directories(
        self, tmp_path: Path
    ) -> None:
        make(tmp_path)

        assert {path.name for path in (tmp_path / "app").iterdir()} == APPLICATION
        assert {path.name for path in (tmp_path / "admin").iterdir()} == ADMIN
        values = set(json_bytes(tmp_path).values())
        assert len(values) == len(APPLICATION | ADMIN)
        assert all(len(value) >= 32 for value in values)

    def test_files_are_readable_by_owner_and_group_only(self, tmp_path: Path) -> None:
        mask = os.umask(0o077)
        try:
            make(tmp_path)
        finally:
            os.umask(mask)

        for path in tmp_path.rglob("*"):
            assert path.stat().st_mode & 0o777 == (0o440 if path.is_file() else 0o700)

    def test_existing_secrets_are_not_overwritten(self, tmp_path: Path) -> None:
        make(tmp_path)
        first = json_bytes(tmp_path)
        (tmp_path / "app" / "secret_key").unlink()

        make(tmp_path)

        second = json_bytes(tmp_path)
        assert second.keys() == first.keys()
        assert {name for name in first if first[name] != second[name]} == {"secret_key"}

    def test_environment_variable_is_written_instead_of_a_random_value(
        self, tmp_path: Path
    ) -> None:
        make(tmp_path, DATABASE_ADMIN_PASSWORD="as before", SECRET_KEY="")
        make(tmp_path, DATABASE_ADMIN_PASSWORD="too late")

        assert json_bytes(tmp_path)["database_admin_password"] == "as before"
        assert len(json_bytes(tmp_path)["secret_key"]) >= 32

    def test_admin_password_is_written_only_with_admin_directory(self, tmp_path: Path) -> None:
        assert run.invoke(cli.app, ["config", "make-secrets", str(tmp_path)]).exit_code == 0

        assert json_bytes(tmp_path).keys() == APPLICATION

    @pytest.mark.parametrize("host", ["", EVERYWHERE, "192.0.2.7"])
    def test_nothing_is_printed_unless_the_host_is_loopback(
        self, tmp_path: Path, host: str
    ) -> None:
        assert make(tmp_path, PUBLISHED_HOST=host) == ""

    def test_production_notice_is_printed_on_loopback(self, tmp_path: Path) -> None:
        for _ in range(2):
            line = make(tmp_path, PUBLISHED_HOST="127.0.0.1")

            assert line.count("\n") == 1
            for name in (
                *("BIND_ADDRESS", "ENVIRONMENT", "FRONTEND_URL", "CORS_ORIGINS", "COOKIE_SECURE"),
                *("FORWARDED_ALLOW_IPS", "MAIL_SERVER", "docs/operations.md"),
            ):
                assert name in line
            assert not any(value in line for value in json_bytes(tmp_path).values())

    def test_unwritable_directory_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "app").write_text("")

        answer = run.invoke(cli.app, ["config", "make-secrets", str(tmp_path / "app")])

        assert answer.exit_code == 1
        assert f"wxc: {tmp_path / 'app'}: " in answer.stderr


class TestReading:
    def test_production_accepts_generated_secrets(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path)
        monkeypatch.setenv("SECRETS_DIRS", f"{tmp_path / 'app'}, {tmp_path / 'admin'}")
        monkeypatch.setenv("DATABASE_ADMIN_URL", "postgresql://postgres@db/wxc")
        monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://wxc_owner@db/wxc")

        config = Config()

        assert config.environment == "production"
        for name in APPLICATION | ADMIN:
            value = json_bytes(tmp_path)[name]
            assert getattr(config, name).get_secret_value() == value
            assert (value in config.database_url) == (name == "database_password")
            assert (value in str(config.database_admin_url)) == (name == "database_admin_password")
            assert (value in str(config.database_owner_url)) == (name == "database_owner_password")

    def test_config_check_does_not_print_secrets_from_files(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path)
        monkeypatch.setenv("SECRETS_DIRS", str(tmp_path / "app"))

        answer = run.invoke(cli.app, ["config", "check"])

        assert answer.exit_code == 0, answer.output
        assert str(tmp_path / "app") in answer.output
        assert not any(value in answer.output for value in json_bytes(tmp_path).values())

    def test_variable_overrides_a_file_unless_it_is_empty(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path)
        monkeypatch.setenv("SECRETS_DIRS", str(tmp_path / "app"))
        monkeypatch.setenv("SECRET_KEY", "Zk3v9Qx1Lr7Tp5Yw2Nb8Mc4Hd6Jf0Gs3")
        monkeypatch.setenv("JWT_SECRET_KEY", "")

        config = Config()

        assert config.secret_key.get_secret_value().startswith("Zk3v9")
        assert config.jwt_secret_key.get_secret_value() == json_bytes(tmp_path)["jwt_secret_key"]

    def test_missing_directory_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRETS_DIRS", str(tmp_path / "nowhere"))

        with pytest.raises(ValidationError, match=r"(?s)secrets_dirs.*nowhere is not a directory"):
            Config()

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("postgresql://wxc@db:5432/wxc", "postgresql+asyncpg://wxc:p%2Fw%40@db:5432/wxc"),
            (
                "postgresql://wxc@db/wxc?ssl=require",
                "postgresql+asyncpg://wxc:p%2Fw%40@db/wxc?ssl=require",
            ),
            ("postgresql://wxc:own@db/wxc", "postgresql+asyncpg://wxc:own@db/wxc"),
            ("postgresql://db/wxc", "postgresql+asyncpg://db/wxc"),
        ],
    )
    def test_separate_password_completes_a_url_without_one(
        self, url: str, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET_KEY", "Zk3v9Qx1Lr7Tp5Yw2Nb8Mc4Hd6Jf0Gs3")
        monkeypatch.setenv("JWT_SECRET_KEY", "zK3V9qX1lR7tP5yW2nB8mC4hD6jF0gS3")
        for name in ("DATABASE_URL", "DATABASE_READ_URL", "DATABASE_DIRECT_URL"):
            monkeypatch.setenv(name, url)
        monkeypatch.setenv("DATABASE_PASSWORD", "p/w@")

        config = Config()

        assert config.database_url == expected
        assert config.database_read_url == expected
        assert config.database_direct_url == expected

    def test_migrations_connect_with_the_password_from_the_secret_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path)
        monkeypatch.setenv("SECRETS_DIRS", str(tmp_path / "app"))
        monkeypatch.setenv("DATABASE_URL", "postgresql://wxc@127.0.0.1:1/wxc")
        addresses: list[str] = []

        def refuse(url: str, **_: object) -> None:
            addresses.append(url)
            raise ConnectionError

        monkeypatch.setattr("sqlalchemy.ext.asyncio.create_async_engine", refuse)
        with pytest.raises(ConnectionError):
            command.upgrade(migrations.alembic_config(), "head")

        password = json_bytes(tmp_path)["database_password"]
        shown = [make_url(one).render_as_string(hide_password=False) for one in addresses]
        assert shown == [f"postgresql+asyncpg://wxc:{password}@127.0.0.1:1/wxc"]

    def test_migrate_without_a_url_names_the_setting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DATABASE_URL")

        with pytest.raises(ValueError, match="DATABASE_URL is missing"):
            command.upgrade(migrations.alembic_config(), "head")

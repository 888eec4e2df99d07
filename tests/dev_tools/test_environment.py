import os
from pathlib import Path

import pytest

from dev_tools import environment
from dev_tools.engines import Engines

ENGINES = Engines("postgresql+asyncpg://here", "redis://here")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("NAME=value", {"NAME": "value"}),
        ("export NAME=value", {"NAME": "value"}),
        ("  NAME = value  # comment", {"NAME": "value"}),
        ("NAME='a # b'", {"NAME": "a # b"}),
        ('NAME="a=b"  # comment', {"NAME": "a=b"}),
        ("NAME=pass#word", {"NAME": "pass#word"}),
        ("NAME=", {"NAME": ""}),
        ("# NAME=value", {}),
        ("no assignment", {}),
        ("", {}),
    ],
)
def test_a_line_of_dotenv_is_parsed(tmp_path: Path, line: str, expected: dict[str, str]) -> None:
    (tmp_path / ".env").write_text(f"{line}\n")

    assert environment.read_dotenv(tmp_path / ".env") == expected


def test_the_environment_takes_precedence_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")

    chosen = environment.user_settings(tmp_path, {"A": "environment"})

    assert chosen == {"A": "environment", "B": "file"}


def test_settings_override_defaults_unless_they_are_empty() -> None:
    settings = environment.with_defaults({"A": "mine", "B": "", "C": ""}, {"A": "x", "B": "x"})

    assert settings == {"A": "mine", "B": "x", "C": ""}


def test_defaults_point_to_the_engines_and_the_mail_sink(tmp_path: Path) -> None:
    defaults = environment.default_settings(ENGINES, tmp_path, port=8001, mail_port=2525)

    assert defaults["DATABASE_URL"] == ENGINES.database_url
    assert defaults["REDIS_URL"] == ENGINES.redis_url
    assert defaults["FRONTEND_URL"] == "http://localhost:8001"
    assert defaults["MAIL_PORT"] == "2525"
    assert defaults["MAIL_STARTTLS"] == defaults["MAIL_SSL_TLS"] == "false"


def test_mail_settings_have_no_defaults_without_the_mail_sink(tmp_path: Path) -> None:
    defaults = environment.default_settings(ENGINES, tmp_path, port=8000, mail_port=None)

    assert not any(name.startswith("MAIL_") for name in defaults)


def test_secrets_survive_a_restart(tmp_path: Path) -> None:
    first = environment.default_settings(ENGINES, tmp_path, 8000, None)
    second = environment.default_settings(ENGINES, tmp_path, 8000, None)

    assert first["SECRET_KEY"] == second["SECRET_KEY"] != first["JWT_SECRET_KEY"]
    assert len(first["JWT_SECRET_KEY"]) >= 32
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_commands_of_the_checkout_come_first_in_path() -> None:
    settings = environment.with_venv_on_path({"PATH": "/bin"}, Path("/tree/.venv/bin"))

    assert settings["PATH"] == "/tree/.venv/bin:/bin"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PYTHONPATH": "/tree"}, {}),
        ({"PYTHONPATH": f"/tree{os.pathsep}/mine"}, {"PYTHONPATH": "/mine"}),
        ({"PYTHONPATH": "/mine"}, {"PYTHONPATH": "/mine"}),
        ({}, {}),
    ],
)
def test_commands_get_the_python_path_of_the_user(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    environment.remove_from_python_path(given, "/tree")

    assert given == expected

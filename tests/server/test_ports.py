"""A port in use ends the command with the name of the setting."""

import socket
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from wxc.cli import main as cli
from wxc.core.config import Config


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture(autouse=True)
def _environment(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENVIRONMENT": "development",
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": "s" * 40,
        "JWT_SECRET_KEY": "j" * 40,
        "COOKIE_SECURE": "false",
        "PROMETHEUS_MULTIPROC_DIR": "",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_names_the_port_that_is_in_use(busy_port: int, workers: str) -> None:
    command = ["serve", "--host", "127.0.0.1", "--port", str(busy_port), "--workers", workers]

    answer = CliRunner().invoke(cli.app, command)

    assert answer.exit_code == 1
    assert answer.output.strip() == (
        f"wxc: PORT {busy_port} is in use by another process on this machine."
    )


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_the_metrics_port_in_use_is_named(
    monkeypatch: pytest.MonkeyPatch, busy_port: int, command: str
) -> None:
    monkeypatch.setenv("METRICS_PORT", str(busy_port))
    arguments = ["--host", "127.0.0.1", "--port", "1"] if command == "serve" else []

    answer = CliRunner().invoke(cli.app, [command, *arguments])

    assert answer.exit_code == 1
    assert answer.output.strip() == (
        f"wxc: METRICS_PORT {busy_port} is in use by another process on this machine. "
        "Each `wxc serve` and `wxc worker` needs its own."
    )


def test_one_port_cannot_be_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_PORT", "8123")

    answer = CliRunner().invoke(cli.app, ["serve", "--host", "127.0.0.1", "--port", "8123"])

    assert answer.exit_code == 1
    assert answer.output.strip() == "wxc: METRICS_PORT and PORT are both 8123."

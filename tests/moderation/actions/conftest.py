"""Runs `wxc` commands on a database with real commits."""

from collections.abc import Awaitable, Callable

import pytest
from tests.support.worker_threads import run_in_own_thread
from typer.testing import CliRunner, Result

from wxc.cli import main as cli
from wxc.core.config import Config

Operate = Callable[..., Awaitable[Result]]
POLL_INTERVAL = 0.2


@pytest.fixture
def operate(config: Config, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Operate:
    """Runs a `wxc` command in a thread, because the command starts an event loop."""
    for name, value in {
        "ENVIRONMENT": "development",
        "DATABASE_URL": fresh_database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": config.secret_key.get_secret_value(),
        "JWT_SECRET_KEY": config.jwt_secret_key.get_secret_value(),
        "COOKIE_SECURE": "false",
        "REVOCATION_POLL_INTERVAL": str(POLL_INTERVAL),
        "LOG_LEVEL": "warning",
        "LOGNAME": "grace",
    }.items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str) -> Result:
        return await run_in_own_thread(CliRunner().invoke, cli.app, arguments)

    return run

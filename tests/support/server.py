"""`wxc serve` in a separate process."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.support.limits import ENVIRONMENT

RunningServer = tuple[int, "subprocess.Popen[bytes]"]
"""The port and the process."""
_START_TIMEOUT = 20.0  # seconds


@contextmanager
def run_server(
    database_url: str, redis_url: str, log: Path, port: int = 0, /, **settings: str
) -> Iterator[RunningServer]:
    """The port and process of a server without a worker; killed at the end if it still runs."""
    port = port or free_port()
    command = [sys.executable, "-c", "from wxc.cli.main import app; app()"]
    command += ["serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (
        log.open("ab") as output,
        subprocess.Popen(  # noqa: S603 - no external input
            command,
            env=environment(database_url, redis_url) | settings,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            _wait_until_healthy(process, port, log)
            yield port, process
        finally:
            process.kill()


def environment(database_url: str, redis_url: str) -> dict[str, str]:
    """The environment of `wxc` in development, with cheap password hashes."""
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "s" * 40,
        "JWT_SECRET_KEY": "j" * 40,
        "COOKIE_SECURE": "false",
        "SHUTDOWN_DELAY": "0",
        "PASSWORD_HASH_MEMORY": "8",
        "PASSWORD_HASH_ROUNDS": "1",
        **ENVIRONMENT,
    }


def _wait_until_healthy(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(httpx.TransportError):
                if client.get("/healthz").is_success:
                    return
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

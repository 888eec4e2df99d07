"""A server in a process of its own, to be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hostile.server import await_health, free_port
from tests.unlimited import ENVIRONMENT
from wxc.core.config import Config


@contextmanager
def served(config: Config, log: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A server in a process of its own, without a worker; killed at the end if it is not yet."""
    port = free_port()
    command = [sys.executable, "-c", "from wxc.cli import app; app()", "serve"]
    environment = dict(os.environ) | ENVIRONMENT
    environment |= {
        "ENVIRONMENT": "development",
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": "s" * 40,
        "JWT_SECRET_KEY": "j" * 40,
        "COOKIE_SECURE": "false",
        "PASSWORD_HASH_MEMORY": "8",
        "PASSWORD_HASH_ROUNDS": "1",
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - nobody else's words
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            await_health(process, port, log)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()

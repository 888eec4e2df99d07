"""A private Redis or Valkey without persistence."""

import secrets
import shutil
import socket
from functools import partial
from pathlib import Path

from dev_tools.console import DevError
from dev_tools.paths import (
    create_service_folder,
    remove_folder,
    service_account,
    write_private_file,
)
from dev_tools.ports import LOOPBACK, find_free_port
from dev_tools.processes import Program, Supervisor, log_tail, service_environment

_MAX_ATTEMPTS = 3
_START_TIMEOUT_SECONDS = 30


def find_program() -> str | None:
    """Return the path of redis-server or valkey-server."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def start(supervisor: Supervisor, folder: Path, program: str) -> str:
    """Start a server in a new folder, wait until it accepts commands, and return its URL."""
    account = service_account("redis") or service_account("valkey")
    remove_folder(folder)
    create_service_folder(folder, account)
    password = secrets.token_hex(16)
    log = folder / "redis.log"
    for _ in range(_MAX_ATTEMPTS):
        port = find_free_port()
        # In a file, because every user can read the arguments of a process.
        write_private_file(folder / "redis.conf", _configuration(port, password), account)
        server = supervisor.start(
            Program(
                name="Redis",
                command=[program, "redis.conf"],
                env=service_environment(),
                cwd=folder,
                account=account,
                log=log,
            )
        )
        if server.wait_until_ready(partial(_is_ready, port, password), _START_TIMEOUT_SECONDS):
            return f"redis://:{password}@{LOOPBACK}:{port}/0"
        supervisor.stop(server)
        if "ddress already in use" not in log.read_text(errors="replace"):
            break
    raise DevError(f"Redis did not start. {log_tail(log)}")


def _configuration(port: int, password: str) -> str:
    return "\n".join(
        [
            f"bind {LOOPBACK}",
            f"port {port}",
            f"requirepass {password}",
            'save ""',
            "appendonly no",
            "daemonize no",
            "",
        ]
    )


def _is_ready(port: int, password: str) -> bool:
    """Return whether our server answers; another one on this port does not accept the password."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\n".encode())
            return connection.recv(64).startswith(b"+OK")
    except OSError:
        return False

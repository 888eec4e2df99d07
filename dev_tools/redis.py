"""A private Redis (or Valkey) that keeps nothing on disk."""

import secrets
import shutil
import socket
from functools import partial
from pathlib import Path

from dev_tools.console import StackError
from dev_tools.paths import make_folder, remove_folder, service_account, write_private
from dev_tools.ports import LOOPBACK, free_port
from dev_tools.processes import (
    Program,
    Supervisor,
    end_of,
    environment_for_services,
)


def find_program() -> str | None:
    """Return the path of the server's program."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def start(supervisor: Supervisor, folder: Path, program: str) -> str:
    """Start a server in a new folder, wait until it takes commands, and return its URL."""
    account = service_account("redis") or service_account("valkey")
    remove_folder(folder)
    make_folder(folder, account)
    password = secrets.token_hex(16)
    log = folder / "redis.log"
    for _ in range(3):
        port = free_port()
        # In a file, because everybody can read the arguments of a process.
        write_private(folder / "redis.conf", _configuration(port, password), account)
        server = supervisor.start(
            Program(
                name="Redis",
                command=[program, "redis.conf"],
                env=environment_for_services(),
                cwd=folder,
                account=account,
                log=log,
            )
        )
        if server.comes_up(partial(_answers, port, password), seconds=30):
            return f"redis://:{password}@{LOOPBACK}:{port}/0"
        supervisor.stop(server)
        if "ddress already in use" not in log.read_text(errors="replace"):
            break
    raise StackError(f"Redis did not start. {end_of(log)}")


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


def _answers(port: int, password: str) -> bool:
    """Tell whether it is our server that answers: no other one knows the password."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\n".encode())
            return connection.recv(64).startswith(b"+OK")
    except OSError:
        return False

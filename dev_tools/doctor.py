"""`./dev doctor`: the programs in use, the missing ones, and the running server."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dev_tools import client, postgres_installation, redis
from dev_tools.console import print_out
from dev_tools.environment import user_settings
from dev_tools.paths import Checkout, file_lock, state_path
from dev_tools.ports import DEFAULT_PORT, LOOPBACK, configured_port, is_free
from dev_tools.processes import read_facts
from dev_tools.serving import DEV_LOCK, DEV_RECORD

_PUBLIC_SETTINGS = (
    *("ENVIRONMENT", "HOST", "PORT", "DEMO_DATA"),
    *("LOG_FORMAT", "FRONTEND_URL", "COOKIE_SECURE"),
)
_SECRET_SETTINGS = (
    *(
        "DATABASE_URL",
        "DATABASE_READ_URL",
        "DATABASE_DIRECT_URL",
        "DATABASE_OWNER_URL",
        "REDIS_URL",
    ),
    *("SECRET_KEY", "JWT_SECRET_KEY", "MAIL_SERVER", "MAIL_USERNAME", "MAIL_PASSWORD"),
)


def doctor(checkout: Checkout, environ: Mapping[str, str], missing: str) -> int:
    """Print the findings, without any secret; create and install nothing."""
    settings = user_settings(checkout.root, environ)
    state = state_path(checkout.root, environ)
    for name, finding in _findings(checkout, settings, state, missing):
        print_out(f"{name:<12} {finding}")
    return 0


def _findings(
    checkout: Checkout, settings: Mapping[str, str], state: Path, missing: str
) -> Iterator[tuple[str, str]]:
    yield "System", _system()
    yield "Python", f"{platform.python_version()} ({sys.executable})"
    yield "uv", _version(str(checkout.uv)) if checkout.uv.exists() else "not installed yet"
    yield "PostgreSQL", _postgres(settings)
    yield "Redis", _redis(settings)
    yield "Node", _node(checkout)
    yield "Browser", client.find_browser() or "none; the client is not tested in a browser"
    yield "State", f"{state}{'' if state.exists() else ' (not created yet)'}"
    yield "Running", _running(state)
    yield "Port", _port(settings)
    yield "Set", ", ".join(_set(settings)) or "nothing"
    yield "Missing", f"{missing} (./dev run installs it)" if missing else "nothing"


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.platform()
    return f"{name}, {platform.machine()}"


def _postgres(settings: Mapping[str, str]) -> str:
    if settings.get("DATABASE_URL"):
        return "from DATABASE_URL"
    return str(postgres_installation.find_installation() or "none with PostGIS")


def _redis(settings: Mapping[str, str]) -> str:
    if settings.get("REDIS_URL"):
        return "from REDIS_URL"
    program = redis.find_program()
    return f"{_version(program)} ({program})" if program else "none"


def _node(checkout: Checkout) -> str:
    folder = client.find_node(checkout)
    return _version(str(folder / "node")) if folder else "none; ./dev client installs one"


def _running(state: Path) -> str:
    if not state.exists():
        return "nothing"
    with file_lock(state / DEV_LOCK, blocking=False) as is_stopped:
        if is_stopped:
            return "nothing"
    facts = read_facts(state / DEV_RECORD)
    return str(facts.get("url", "the engines"))


def _port(settings: Mapping[str, str]) -> str:
    port = configured_port(settings) or DEFAULT_PORT
    return f"{port} is {'free' if is_free(LOOPBACK, port) else 'in use'}"


def _set(settings: Mapping[str, str]) -> list[str]:
    shown = [f"{name}={settings[name]}" for name in _PUBLIC_SETTINGS if settings.get(name)]
    return [*shown, *(name for name in _SECRET_SETTINGS if settings.get(name))]


def _version(program: str) -> str:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return shown.stdout.strip().partition(" sha=")[0] or shutil.which(program) or program

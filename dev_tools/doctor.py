"""`./dev doctor`: what would be used, what is missing, and what is going on."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dev_tools import client, postgres, redis
from dev_tools.console import say
from dev_tools.environment import chosen_settings
from dev_tools.paths import Checkout, locked, state_path
from dev_tools.ports import LOOPBACK, is_free
from dev_tools.processes import facts_in
from dev_tools.serving import DEV_LOCK, DEV_RECORD, chosen_port

_OPEN = ("ENVIRONMENT", "HOST", "PORT", "DEMO_DATA", "LOG_FORMAT", "FRONTEND_URL", "COOKIE_SECURE")
_HIDDEN = (
    *("DATABASE_URL", "DATABASE_READ_URL", "DATABASE_DIRECT_URL", "REDIS_URL"),
    *("SECRET_KEY", "JWT_SECRET_KEY", "MAIL_SERVER", "MAIL_USERNAME", "MAIL_PASSWORD"),
)


def doctor(checkout: Checkout, environ: Mapping[str, str], missing: str) -> int:
    """Print what `./dev` finds; change nothing."""
    chosen = chosen_settings(checkout.root, environ)
    state = state_path(checkout.root, environ)
    for name, finding in _findings(checkout, chosen, state, missing):
        say(f"{name:<12} {finding}")
    return 0


def _findings(
    checkout: Checkout, chosen: Mapping[str, str], state: Path, missing: str
) -> Iterator[tuple[str, str]]:
    yield "System", _system()
    yield "Python", f"{platform.python_version()} ({sys.executable})"
    yield "uv", _version(str(checkout.uv)) if checkout.uv.exists() else "not installed yet"
    yield "PostgreSQL", _postgres(chosen)
    yield "Redis", _redis(chosen)
    yield "Node", _node(checkout)
    yield "Browser", client.find_browser() or "none: the client is not tested in one"
    yield "State", f"{state}{'' if state.exists() else ' (not there yet)'}"
    yield "Running", _running(state)
    yield "Port", _port(chosen)
    yield "Set", ", ".join(_set(chosen)) or "nothing"
    yield "Missing", f"{missing} - to be installed by ./dev run" if missing else "nothing"


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.platform()
    return f"{name}, {platform.machine()}"


def _postgres(chosen: Mapping[str, str]) -> str:
    if chosen.get("DATABASE_URL"):
        return "the one of DATABASE_URL"
    return str(postgres.find_installation() or "none with PostGIS")


def _redis(chosen: Mapping[str, str]) -> str:
    if chosen.get("REDIS_URL"):
        return "the one of REDIS_URL"
    program = redis.find_program()
    return f"{_version(program)} ({program})" if program else "none"


def _node(checkout: Checkout) -> str:
    folder = client.find_node(checkout)
    return _version(str(folder / "node")) if folder else "none; ./dev client installs one"


def _running(state: Path) -> str:
    if not state.exists():
        return "nothing"
    with locked(state / DEV_LOCK, wait=False) as is_off:
        if is_off:
            return "nothing"
    facts = facts_in(state / DEV_RECORD)
    return str(facts.get("url", "the engines"))


def _port(chosen: Mapping[str, str]) -> str:
    port = chosen_port(chosen) or 8000
    return f"{port} is {'free' if is_free(LOOPBACK, port) else 'in use'}"


def _set(chosen: Mapping[str, str]) -> list[str]:
    shown = [f"{name}={chosen[name]}" for name in _OPEN if chosen.get(name)]
    return [*shown, *(name for name in _HIDDEN if chosen.get(name))]


def _version(program: str) -> str:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return shown.stdout.strip().partition(" sha=")[0] or shutil.which(program) or program

"""The environment that the application gets: what is set wins, defaults do the rest."""

import json
import os
import secrets
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path

from dev_tools.engines import Engines
from dev_tools.paths import write_private


def chosen_settings(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what is set in the environment, and in `.env` where the environment is silent."""
    return {**read_dotenv(root / ".env"), **environ}


def read_dotenv(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines, with quotes, `export` and comments; nothing is expanded."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    settings = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            settings[name.strip()] = _unquoted(value.strip())
    return settings


def with_defaults(chosen: Mapping[str, str], offered: Mapping[str, str]) -> dict[str, str]:
    """Return what is chosen, and what is offered for everything that is unset or empty."""
    return {**chosen, **{name: value for name, value in offered.items() if not chosen.get(name)}}


def offered_settings(
    engines: Engines, state: Path, port: int, mail_port: int | None
) -> dict[str, str]:
    """Return the settings of a development server; no `mail_port` means that mail is chosen."""
    offered = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": engines.database_url,
        "REDIS_URL": engines.redis_url,
        "COOKIE_SECURE": "false",
        "SHUTDOWN_DELAY": "0",
        "DEMO_DATA": "true",
        "FRONTEND_URL": f"http://localhost:{port}",
        **_secrets(state / "secrets.json"),
    }
    if mail_port is not None:
        offered |= {
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(mail_port),
            "MAIL_STARTTLS": "false",
            "MAIL_SSL_TLS": "false",
            "MAIL_FROM": "no-reply@example.com",
        }
    return offered


def with_commands(settings: Mapping[str, str], commands: Path) -> dict[str, str]:
    """Put the commands of the virtual environment first."""
    return {**settings, "PATH": f"{commands}:{settings.get('PATH', '/usr/bin:/bin')}"}


def remove_from_python_path(environ: MutableMapping[str, str], folder: str) -> None:
    """Undo what `dev` does to find this package, so that commands get the user's `PYTHONPATH`."""
    first, *others = environ.get("PYTHONPATH", "").split(os.pathsep)
    if first != folder:
        return
    if others:
        environ["PYTHONPATH"] = os.pathsep.join(others)
    else:
        del environ["PYTHONPATH"]


def _unquoted(value: str) -> str:
    if value[:1] in {"'", '"'}:
        return value[1:].partition(value[0])[0]
    return value.partition(" #")[0].strip()


def _secrets(path: Path) -> dict[str, str]:
    """Return secrets that stay the same, so that sessions survive a restart."""
    with suppress(FileNotFoundError, ValueError):
        kept: dict[str, str] = json.loads(path.read_text())
        return kept
    made = {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "JWT_SECRET_KEY")}
    write_private(path, json.dumps(made))
    return made

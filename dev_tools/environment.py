"""The environment of the application: the user's settings first, then development defaults."""

import json
import os
import secrets
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path

from dev_tools.engines import Engines
from dev_tools.paths import write_private_file
from dev_tools.ports import LOOPBACK


def user_settings(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, completed by `.env`."""
    return {**read_dotenv(root / ".env"), **environ}


def read_dotenv(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines with quotes, `export` and comments; variables are not expanded."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    settings = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            settings[name.strip()] = _unquote(value.strip())
    return settings


def with_defaults(settings: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Return the settings, with a default for each one that is unset or empty."""
    missing = {name: value for name, value in defaults.items() if not settings.get(name)}
    return {**settings, **missing}


def default_settings(
    engines: Engines, state: Path, port: int, mail_port: int | None
) -> dict[str, str]:
    """Return the settings of a development server.

    `mail_port` is the port of the mail sink; None leaves the mail settings to the user.
    """
    defaults = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": engines.database_url,
        "REDIS_URL": engines.redis_url,
        "COOKIE_SECURE": "false",
        "SHUTDOWN_DELAY": "0",
        "DEMO_DATA": "true",
        "FRONTEND_URL": f"http://localhost:{port}",
        **_load_or_create_secrets(state / "secrets.json"),
    }
    if engines.owner_url:
        defaults["DATABASE_OWNER_URL"] = engines.owner_url
    if mail_port is not None:
        defaults |= {
            "MAIL_SERVER": LOOPBACK,
            "MAIL_PORT": str(mail_port),
            "MAIL_STARTTLS": "false",
            "MAIL_SSL_TLS": "false",
            "MAIL_FROM": "no-reply@example.com",
        }
    return defaults


def with_venv_on_path(settings: Mapping[str, str], venv_bin: Path) -> dict[str, str]:
    """Return the settings with the commands of the virtual environment first in `PATH`."""
    return {**settings, "PATH": f"{venv_bin}:{settings.get('PATH', '/usr/bin:/bin')}"}


def remove_from_python_path(environ: MutableMapping[str, str], folder: str) -> None:
    """Undo what `dev` does to find this package, so that commands get the user's `PYTHONPATH`."""
    first, *others = environ.get("PYTHONPATH", "").split(os.pathsep)
    if first != folder:
        return
    if others:
        environ["PYTHONPATH"] = os.pathsep.join(others)
    else:
        del environ["PYTHONPATH"]


def _unquote(value: str) -> str:
    if value[:1] in {"'", '"'}:
        return value[1:].partition(value[0])[0]
    return value.partition(" #")[0].strip()


def _load_or_create_secrets(path: Path) -> dict[str, str]:
    """Return the same secrets at every start, so that sessions survive a restart."""
    with suppress(FileNotFoundError, ValueError):
        stored: dict[str, str] = json.loads(path.read_text())
        return stored
    created = {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "JWT_SECRET_KEY")}
    write_private_file(path, json.dumps(created))
    return created

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from wxc.core.weak_secrets import is_loopback

_APPLICATION_SECRETS = ("secret_key", "jwt_secret_key", "database_password")
_ADMIN_SECRETS = ("database_owner_password", "database_admin_password")
_SECRET_BYTES = 32
_FILE_MODE = 0o440  # in compose.yaml the files belong to root and to the group of their readers
_PRODUCTION_NOTICE = (
    "wxc: Only this machine can reach the API. Before others use it, set ENVIRONMENT=production, "
    "COOKIE_SECURE=true, FRONTEND_URL, CORS_ORIGINS, MAIL_SERVER, FORWARDED_ALLOW_IPS and, unless "
    "a reverse proxy runs on this machine, BIND_ADDRESS. See docs/operations.md."
)


def make_secrets(
    directory: Annotated[Path, typer.Argument(help="The directory for the service's secrets.")],
    *,
    admin: Annotated[
        Path | None,
        typer.Option(
            help="The directory for the passwords of the schema's owner and administrator."
        ),
    ] = None,
) -> None:
    """Generate the missing secrets, one per file; existing files are not changed.

    Writes SECRET_KEY, JWT_SECRET_KEY and DATABASE_PASSWORD, and with --admin also
    DATABASE_OWNER_PASSWORD and DATABASE_ADMIN_PASSWORD. If an environment variable of that name is
    set, its value is written instead of a random one. Secrets are not printed. Only owner and group
    can read the files. Add the directories to SECRETS_DIRS.
    """
    try:
        _write_missing(directory, _APPLICATION_SECRETS)
        if admin is not None:
            _write_missing(admin, _ADMIN_SECRETS)
    except OSError as error:
        typer.echo(f"wxc: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    if is_loopback(os.environ.get("PUBLISHED_HOST")):
        typer.echo(_PRODUCTION_NOTICE)


def _write_missing(directory: Path, names: tuple[str, ...]) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        value = os.environ.get(name.upper()) or secrets.token_hex(_SECRET_BYTES)
        _write_once(directory / name, value)


def _write_once(path: Path, text: str) -> None:
    """Create the file atomically unless it exists; safe if two processes try at the same time."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, _FILE_MODE)
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()

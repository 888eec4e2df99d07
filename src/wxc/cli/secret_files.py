"""`wxc config make-secrets`: the secrets of a deployment, generated into files."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from wxc.core.weak_secrets import is_loopback

_APPLICATION_SECRETS = ("secret_key", "jwt_secret_key", "database_password")
_ADMIN_SECRETS = ("database_admin_password",)
_SECRET_BYTES = 32
_FILE_MODE = 0o440  # in compose.yaml the files belong to root and to the group of their readers
_PRODUCTION_NOTICE = (
    "wxc: Only this machine can reach the API. Before others use it, set ENVIRONMENT=production, "
    "COOKIE_SECURE=true, FRONTEND_URL, CORS_ORIGINS, MAIL_SERVER, FORWARDED_ALLOW_IPS and, "
    "without a reverse proxy on this machine, BIND_ADDRESS: see docs/operations.md."
)


def make_secrets(
    directory: Annotated[Path, typer.Argument(help="Where SECRETS_DIRS finds the service's own.")],
    *,
    admin: Annotated[
        Path | None,
        typer.Option(help="Where to write the database administrator's password, if anywhere."),
    ] = None,
) -> None:
    """Generate the secrets that are missing, one a file; what is there stays as it is.

    Writes SECRET_KEY, JWT_SECRET_KEY and DATABASE_PASSWORD, and DATABASE_ADMIN_PASSWORD for
    --admin. A variable of that name is written in place of a random value. Nothing secret is
    printed. Only the owner and the group can read the files.
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
    """Write the whole file, or leave the one that exists; safe if two processes try at once."""
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

"""URLs of databases, in the form of SQLAlchemy with asyncpg."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, SecretStr, ValidationInfo

_OPTIONS = {"ssl", "sslrootcert", "prepared_statement_cache_size"}
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def asyncpg_url(url: str) -> str:
    """The URL for SQLAlchemy with asyncpg, which has `ssl` for libpq's `sslmode`."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise ValueError("must start with postgresql+asyncpg:// or postgresql://")
    options = {name.replace("sslmode", "ssl"): value for name, value in parse_qsl(parts.query)}
    if not options.keys() <= _OPTIONS:
        raise ValueError(f"may only have the options sslmode, {', '.join(sorted(_OPTIONS))}")
    if options.get("ssl", "require") not in _SSL_MODES:
        raise ValueError(f"must have one of these as sslmode: {', '.join(_SSL_MODES)}")
    if not Path(options.get("sslrootcert", __file__)).is_file():
        raise ValueError("has an sslrootcert that is not a file")
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg", query=urlencode(options)))


def libpq_url(url: str) -> str:
    """Convert a URL of `asyncpg_url` to libpq's form, which `asyncpg.connect` expects."""
    parts = urlsplit(url)
    names = {"ssl": "sslmode", "sslrootcert": "sslrootcert"}
    options = {names[name]: value for name, value in parse_qsl(parts.query) if name in names}
    return urlunsplit(parts._replace(scheme="postgresql", query=urlencode(options)))


def _password_from(setting: str) -> Callable[[str, ValidationInfo], str]:
    def add_password(url: str, info: ValidationInfo) -> str:
        return _add_password(url, info.data.get(setting))

    return add_password


def _add_password(url: str, password: SecretStr | None) -> str:
    """Add `password` if the URL contains a user but no password."""
    parts = urlsplit(url)
    if password is None or not parts.username or parts.password:
        return url
    user, _, host = parts.netloc.rpartition("@")
    quoted = quote(password.get_secret_value(), safe="")
    return urlunsplit(parts._replace(netloc=f"{user.rstrip(':')}:{quoted}@{host}"))


_Url = Annotated[str, AfterValidator(asyncpg_url)]
DatabaseUrl = Annotated[_Url, AfterValidator(_password_from("database_password"))]
OwnerUrl = Annotated[_Url, AfterValidator(_password_from("database_owner_password"))]
AdminUrl = Annotated[_Url, AfterValidator(_password_from("database_admin_password"))]

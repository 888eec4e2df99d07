"""With which settings `wxc` is measured, and where the command is."""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from wxc.core.config import Config

_REDIS_DATABASE = "/15"  # apart from whatever else that Redis may hold


def environment(database_url: str) -> dict[str, str]:
    """Production's, on that database, with no limit in the way."""
    return {**os.environ, **_settings(database_url), **_no_limits()}


def _settings(database_url: str) -> Mapping[str, str]:
    """Production's, but for the cookies: there is no TLS here."""
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "DATABASE_DIRECT_URL": database_url,
        "REDIS_URL": urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=_REDIS_DATABASE)),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "COOKIE_SECURE": "false",
        "ACCESS_TOKEN_LIFETIME": "86400",  # who has logged in at the start asks until the end
        "LOG_LEVEL": "warning",
        "WORKERS": "1",
        "SHUTDOWN_DELAY": "0",
    }


def _no_limits() -> Mapping[str, str]:
    """Every limit that there is, so high that nothing measured here reaches it."""
    limits = {name: one for name, one in Config.model_fields.items() if name.startswith("limit_")}
    return {
        name.upper(): "1000000 per second" if isinstance(one.default, str) else "1000000"
        for name, one in limits.items()
    }


def wxc() -> str:
    """The command, as it is installed beside this Python."""
    return str(Path(sys.executable).with_name("wxc"))

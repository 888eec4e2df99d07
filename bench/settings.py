"""The settings of the measured `wxc`, and its path."""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from wxc.core.config import Config

_REDIS_DATABASE = "/15"  # separate from other data in that Redis


def environment(database_url: str) -> dict[str, str]:
    """The settings of production on that database, without rate limits."""
    return {**os.environ, **_settings(database_url), **_no_limits()}


def _settings(database_url: str) -> Mapping[str, str]:
    """The settings of production, except for cookies, since there is no TLS."""
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "DATABASE_DIRECT_URL": database_url,
        "REDIS_URL": urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=_REDIS_DATABASE)),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "COOKIE_SECURE": "false",
        "ACCESS_TOKEN_LIFETIME": "86400",  # members log in once, at the start
        "LOG_LEVEL": "warning",
        "WORKERS": "1",
        "SHUTDOWN_DELAY": "0",
    }


def _no_limits() -> Mapping[str, str]:
    """Every rate limit, so high that no bench reaches it."""
    limits = {
        name: setting for name, setting in Config.model_fields.items() if name.startswith("limit_")
    }
    return {
        name.upper(): "1000000 per second" if isinstance(setting.default, str) else "1000000"
        for name, setting in limits.items()
    }


def wxc() -> str:
    """The path of the command in the environment of this Python."""
    return str(Path(sys.executable).with_name("wxc"))

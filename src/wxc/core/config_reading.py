import os
import sys
from typing import Any

from pydantic import ValidationError

from wxc.core.config import Config


def read_config(bound_host: str | None = None) -> Config:
    """Read the configuration; on an error, list every invalid setting and exit with status 2.

    `bound_host` is the address that the server binds to, the default of PUBLISHED_HOST.
    """
    try:
        return Config(**_settings_of_bound_host(bound_host))
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            message = problem["msg"].removeprefix("Value error, ")
            sys.stderr.write(f"wxc: {name}: {message}\n" if name else f"wxc: {message}\n")
        sys.exit(2)


def _settings_of_bound_host(host: str | None) -> dict[str, Any]:
    """Default to production even on loopback: a proxy may publish the server."""
    if host is None or os.environ.get("PUBLISHED_HOST"):
        return {}
    return {
        "published_host": host,
        "environment": os.environ.get("ENVIRONMENT") or "production",
    }

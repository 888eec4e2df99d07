"""The configuration of a process, read from its environment."""

import os
import sys
from typing import Any

from pydantic import ValidationError

from wxc.core.config import Config


def read_config(bound_host: str | None = None) -> Config:
    """The configuration; ends the process with each wrong setting named.

    `bound_host` is the address that the server binds. It stands in for an unset PUBLISHED_HOST.
    """
    try:
        return Config(**_binding(bound_host))
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            message = problem["msg"].removeprefix("Value error, ")
            sys.stderr.write(f"wxc: {name}: {message}\n" if name else f"wxc: {message}\n")
        sys.exit(2)


def _binding(host: str | None) -> dict[str, Any]:
    """A server bound to loopback is still in production by default: a proxy may publish it."""
    if host is None or os.environ.get("PUBLISHED_HOST"):
        return {}
    return {
        "published_host": host,
        "environment": os.environ.get("ENVIRONMENT") or "production",
    }

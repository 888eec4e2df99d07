"""What the commands of `wxc` share: the configuration, and how text is printed."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import typer
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

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
            typer.echo(f"wxc: {name}: {message}" if name else f"wxc: {message}", err=True)
        sys.exit(2)


def _binding(host: str | None) -> dict[str, Any]:
    """A server bound to loopback is still in production by default: a proxy may publish it."""
    if host is None or os.environ.get("PUBLISHED_HOST"):
        return {}
    return {
        "published_host": host,
        "environment": os.environ.get("ENVIRONMENT") or "production",
    }


def show(text: str) -> None:
    """Print text that a member may have written: what would steer the terminal is escaped."""
    typer.echo("".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in text))


def show_json(value: object) -> None:
    """Print models as JSON in ASCII, which steers no terminal."""
    typer.echo(json.dumps(to_jsonable_python(value), indent=2))


def show_facts(facts: Iterable[tuple[str, object]], width: int = 19) -> None:
    """Print names and values, one a line; what is not there is a dash."""
    for name, value in facts:
        show(f"{name:<{width}}{_spoken(value)}")


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below their heads, each column as wide as it needs to be."""
    lines = [head, *([_spoken(value) for value in row] for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(head))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        show("  ".join(cells).rstrip())


def _spoken(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    return "-" if value is None else str(value)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()

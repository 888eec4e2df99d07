"""How the commands of `wxc` print."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import typer
from pydantic_core import to_jsonable_python


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

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import typer
from pydantic_core import to_jsonable_python


def show(text: str) -> None:
    """Print text that a member may have written; escapes terminal control characters."""
    typer.echo(
        "".join(
            character if character.isprintable() or character == "\n" else _escape(character)
            for character in text
        )
    )


def show_json(value: object) -> None:
    """Print JSON in ASCII, which cannot contain terminal control characters."""
    typer.echo(json.dumps(to_jsonable_python(value), indent=2))


def show_facts(facts: Iterable[tuple[str, object]], width: int = 19) -> None:
    """Print one name and value per line; a dash for None."""
    for name, value in facts:
        show(f"{name:<{width}}{_format(value)}")


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    lines = [head, *([_format(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        show("  ".join(cells).rstrip())


def _format(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    return "-" if value is None else str(value)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()

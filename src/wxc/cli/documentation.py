import difflib
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from wxc.core.config import Config

_MAX_DIFF_LINES = 40


def openapi(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("openapi.json"),
    *,
    check: Annotated[
        bool, typer.Option(help="Do not write; exit with 1 if the file is out of date.")
    ] = False,
) -> None:
    """Write the OpenAPI document that the code generates."""
    generated = json.dumps(_document(), indent=2, ensure_ascii=False) + "\n"
    if not check:
        path.write_text(generated)
        return
    committed = path.read_text() if path.exists() else ""
    if committed != generated:
        diff = difflib.unified_diff(
            committed.splitlines(), generated.splitlines(), "committed", "generated", "", "", 1, ""
        )
        typer.echo("\n".join(list(diff)[:_MAX_DIFF_LINES]))
        typer.echo(f"{path} is out of date; run: ./dev exec wxc openapi")
        raise typer.Exit(1)


def _document() -> dict[str, Any]:
    """The document does not depend on the configuration; this one is never used to connect."""
    from wxc.app import create_app

    config = Config(
        environment="development",
        published_host="127.0.0.1",
        database_url="postgresql://nowhere",
        redis_url="redis://nowhere",
        secret_key=SecretStr("none"),
        jwt_secret_key=SecretStr("none"),
    )
    return create_app(config).openapi()

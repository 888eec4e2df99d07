from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr
from sqlalchemy import make_url

from wxc.cli.engines import Json, exit_if_unreachable
from wxc.cli.secret_files import make_secrets
from wxc.cli.terminal import show, show_facts, show_json
from wxc.core.config_reading import read_config

if TYPE_CHECKING:
    from wxc.core.config import Config

config = typer.Typer(
    no_args_is_help=True,
    help="Check the settings and generate secrets.",
    epilog="Exit codes: 0 success; 1 a file cannot be written; 2 a setting is invalid; "
    "3 the database or Redis cannot be reached.",
)
config.command("make-secrets")(make_secrets)


@config.command("check")
def check_config(
    *,
    connect: Annotated[
        bool,
        typer.Option(
            help="Also check that the database and Redis can be reached, and their rights."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Validate the settings as the service does at start-up, and print their values.

    Values come from the environment or SECRETS_DIRS; the defaults are in .env.example. Passwords
    and keys are not printed.
    """
    settings = read_config()
    if connect:
        _check_connections(settings)
        _warn_of_weaknesses(settings)
    redacted = {name.upper(): _redact(value) for name, value in settings}
    if as_json:
        show_json(redacted)
    else:
        show_facts(redacted.items(), width=max(map(len, redacted)) + 2)
        show("\nThe settings are valid.")


def _warn_of_weaknesses(settings: "Config") -> None:
    import asyncio

    from wxc.db.service_role import find_weaknesses

    with exit_if_unreachable("database"):
        for weakness in asyncio.run(find_weaknesses(settings)):
            typer.echo(f"wxc: warning: {weakness}", err=True)


def _redact(value: object) -> object:
    if isinstance(value, SecretStr):
        return "(secret)" if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, str) and "://" in value:
        return make_url(value).render_as_string(hide_password=True) if "@" in value else value
    return value


def _check_connections(settings: "Config") -> None:
    import asyncio

    from wxc.core.redis import RedisClient
    from wxc.db.database import Database

    async def probe_both() -> bool:
        database, redis = Database(settings), RedisClient(settings)
        try:
            async with database.engine.connect():
                return await redis.probe()
        finally:
            await redis.close()
            await database.close()

    with exit_if_unreachable("database"):
        if not asyncio.run(probe_both()):
            typer.echo("wxc: Redis cannot be reached.", err=True)
            raise typer.Exit(3)

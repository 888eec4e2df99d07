"""Runs an operator's command with the configured database and Redis; maps errors to exit codes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from wxc.core.config_reading import read_config

if TYPE_CHECKING:
    from wxc.accounts.auth.revocation import Revocations
    from wxc.db.database import Database
    from wxc.moderation.audit.actors import Actor

T = TypeVar("T")
EXIT_CODES = (
    "Exit codes: 0 done, or nothing to do; 1 not found; 2 invalid usage or settings; "
    "3 the database cannot be reached."
)
_MAX_TEXT_LENGTH = 500

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class Engines:
    database: "Database"
    revocations: "Revocations"
    actor: "Actor"


@contextlib.asynccontextmanager
async def _engines() -> AsyncIterator[Engines]:
    from wxc.accounts.auth.revocation import Revocations
    from wxc.core.events import Events
    from wxc.core.logging import configure_logging
    from wxc.core.redis import RedisClient
    from wxc.db.database import Database
    from wxc.moderation.audit.actors import Actor

    config = read_config()
    configure_logging(config)
    database, redis = Database(config), RedisClient(config)
    try:
        revocations = Revocations(config, database, redis, Events(config, redis))
        yield Engines(database, revocations, Actor.operator())
    finally:
        await redis.close()
        await database.close()


def run(command: Callable[[Engines], Coroutine[Any, Any, T]]) -> T:
    """Return the result of a command; exits with 1 if an object is missing, 3 in an outage."""
    from wxc.moderation.actions.service import NoSuchMember, NoSuchSession
    from wxc.moderation.reports.service import NoSuchReport

    async def run_command() -> T:
        async with _engines() as engines:
            return await command(engines)

    try:
        with exit_if_unreachable("database"):
            return asyncio.run(run_command())
    except (NoSuchMember, NoSuchSession, NoSuchReport) as missing:
        _exit_with(str(type(missing).__doc__), 1)


@contextlib.contextmanager
def exit_if_unreachable(engine: str) -> Iterator[None]:
    """End the process with exit code 3 if the engine cannot be reached."""
    from wxc.db.errors import UNAVAILABLE_ERRORS

    try:
        yield
    except UNAVAILABLE_ERRORS as error:
        _exit_with(f"The {engine} cannot be reached: {type(error).__name__}.", 3)


def _exit_with(message: str, code: int) -> NoReturn:
    typer.echo(f"wxc: {message}", err=True)
    raise typer.Exit(code)


def single_line(value: str, option: str) -> str:
    """The stripped text of an option; raises `BadParameter` unless it is one printable line."""
    text = value.strip()
    if not 0 < len(text) <= _MAX_TEXT_LENGTH or not text.isprintable():
        raise typer.BadParameter(
            f"{option} must be a single line of 1 to {_MAX_TEXT_LENGTH} characters"
        )
    return text

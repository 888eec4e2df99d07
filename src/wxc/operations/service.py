"""Whether the service is alive, started, ready."""

import asyncio
import logging
from collections.abc import Sequence

from wxc.core.database import UNREACHABLE, Database
from wxc.core.departure import Departure
from wxc.core.errors import InvalidPart
from wxc.core.redis import RedisClient
from wxc.mails.service import has_backlog
from wxc.operations.errors import AboutToEnd, NotReady, NotStarted
from wxc.operations.repository import SchemaReader
from wxc.operations.schemas import Checks, Health, Readiness

_log = logging.getLogger("wxc.operations")
_PAUSE = 0.5  # seconds between attempts to reach the database at the start


class Startup:
    """Has the database been reached since the start? A later outage does not change the answer.

    The load balancer replaces what is unhealthy: turning red in an outage of the database would
    have the whole fleet replaced during a failover, which helps nobody.
    """

    def __init__(self) -> None:
        self.is_complete = False

    async def reach(self, database: Database) -> None:
        """Try until the database answers (a background task)."""
        while not self.is_complete:
            try:
                await _revision(database)
            except Exception as error:  # whatever it is: a start that is given up never heals
                _log.warning("the database cannot be reached yet: %r", error)
                await asyncio.sleep(_PAUSE)
            else:
                self.is_complete = True


def health(startup: Startup, departure: Departure) -> Health:
    """Whether the load balancer may send traffic; raises `NotStarted` and `AboutToEnd`."""
    if not startup.is_complete:
        raise NotStarted
    if departure.is_near:
        raise AboutToEnd
    return Health(status="ok")


async def readiness(database: Database, redis: RedisClient, known: Sequence[str]) -> Readiness:
    """Whether all that the service depends on is well; raises `NotReady` with the names.

    A revision that this code does not know is a later one: whoever made it sees to it that the
    code before goes on working (docs/migrations.md). Of the `known` ones only the first will do.
    """
    failures: list[InvalidPart] = []
    try:
        revision = await _revision(database)
        is_behind = revision is None or revision in known[1:]
        is_late = not is_behind and await has_backlog(database.primary)
    except UNREACHABLE:
        failures.append(_failure("database", "unavailable", "The database does not answer."))
    else:
        if is_behind:
            failures.append(
                _failure("migrations", "not_at_head", "The schema is not what the code expects.")
            )
        if is_late:
            failures.append(_failure("mail", "backlog", "Mails wait too long, or were given up."))
    if not await redis.probe():
        failures.append(_failure("redis", "unavailable", "Redis does not answer."))
    if failures:
        raise NotReady(errors=failures)
    return Readiness(
        status="ok", checks=Checks(database="ok", redis="ok", migrations="ok", mail="ok")
    )


async def _revision(database: Database) -> str | None:
    async with database.guarding() as reader:
        return await SchemaReader(reader).revision()


def _failure(name: str, code: str, message: str) -> InvalidPart:
    return InvalidPart(pointer=name, code=code, message=message)

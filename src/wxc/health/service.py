import asyncio
import logging
from collections.abc import Sequence

from wxc.core.redis import RedisClient
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.health.errors import Draining, NotReady, Starting
from wxc.health.repository import schema_revision
from wxc.health.schemas import Checks, Health, Readiness
from wxc.http.problem_schemas import FieldError
from wxc.mail.service import has_backlog
from wxc.server.shutdown import GracefulShutdown

_log = logging.getLogger("wxc.operations")
_RETRY_INTERVAL = 0.5  # seconds, between attempts to reach the database at the start


class Startup:
    """Whether the database has responded since the process started, regardless of later outages.

    A load balancer replaces unhealthy instances: if health depended on the database, a failover
    would replace the whole fleet.
    """

    def __init__(self) -> None:
        self.is_complete = False

    async def wait_for_database(self, database: Database) -> None:
        """Retry until the database responds (a background task)."""
        while not self.is_complete:
            try:
                await _schema_revision(database)
            except Exception as error:  # any: otherwise the process stays unhealthy
                _log.warning("the database cannot be reached yet: %r", error)
                await asyncio.sleep(_RETRY_INTERVAL)
            else:
                self.is_complete = True


def health(startup: Startup, shutdown: GracefulShutdown) -> Health:
    """Raises `Starting` or `Draining` if the load balancer should not send requests."""
    if not startup.is_complete:
        raise Starting
    if shutdown.is_draining:
        raise Draining
    return Health(status="ok")


async def readiness(
    database: Database, redis: RedisClient, known_revisions: Sequence[str]
) -> Readiness:
    """Check all dependencies; raises `NotReady` with those that failed.

    `known_revisions` are the revisions of this code, newest first. An unknown revision is a later
    one, and later migrations keep older code working (docs/migrations.md).
    """
    failures: list[FieldError] = []
    try:
        revision = await _schema_revision(database)
        is_behind = revision is None or revision in known_revisions[1:]
        has_mail_backlog = not is_behind and await has_backlog(database.primary)
    except UNAVAILABLE_ERRORS:
        failures.append(_failure("database", "unavailable", "The database does not respond."))
    else:
        if is_behind:
            failures.append(
                _failure("migrations", "not_at_head", "The database schema is not up to date.")
            )
        if has_mail_backlog:
            failures.append(_failure("mail", "backlog", "Mails are overdue or were given up."))
    if not await redis.probe():
        failures.append(_failure("redis", "unavailable", "Redis does not respond."))
    if failures:
        raise NotReady(errors=failures)
    return Readiness(
        status="ok", checks=Checks(database="ok", redis="ok", migrations="ok", mail="ok")
    )


async def _schema_revision(database: Database) -> str | None:
    row = await database.primary.fetch_one(schema_revision())
    return None if row is None else row.version_num


def _failure(name: str, code: str, message: str) -> FieldError:
    return FieldError(pointer=name, code=code, message=message)

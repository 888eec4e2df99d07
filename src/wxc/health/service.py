import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from wxc.core.redis import RedisClient
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.health.errors import Draining, NotReady, Starting
from wxc.health.repository import replica_lag, schema_revision
from wxc.health.schemas import Health
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
) -> Health:
    """Raises `NotReady` if a check fails; only the log contains which."""
    checks = await check_dependencies(database, redis, known_revisions)
    if checks.is_failed:
        raise NotReady(str(checks))
    return Health(status="ok")


class Checks(dict[str, str]):
    """The result of each check by name: `ok`, the problem, or `unknown`."""

    replica_lag: float | None = None  # seconds

    @property
    def is_failed(self) -> bool:
        """Whether a check did not succeed."""
        return any(result != "ok" for result in self.values())


async def check_dependencies(
    database: Database, redis: RedisClient, known_revisions: Sequence[str]
) -> Checks:
    """Check the database, its schema, mail delivery, Redis, and the replica if there is one.

    `known_revisions` are the revisions of this code, newest first. An unknown revision is a later
    one, and later migrations keep older code working (docs/migrations.md).
    """
    checks = Checks(database="unavailable", migrations="unknown", mail="unknown")
    with suppress(*UNAVAILABLE_ERRORS):
        revision = await _schema_revision(database)
        is_behind = revision is None or revision in known_revisions[1:]
        checks |= {"database": "ok", "migrations": "not_at_head" if is_behind else "ok"}
        if not is_behind:
            checks["mail"] = "backlog" if await has_backlog(database.primary) else "ok"
    checks["redis"] = "ok" if await redis.probe() else "unavailable"
    if database.has_replica:
        checks["replica"] = "unavailable"
        with suppress(*UNAVAILABLE_ERRORS):
            (lag,) = await database.fetch(replica_lag())
            checks["replica"], checks.replica_lag = "ok", lag.seconds
    return checks


async def _schema_revision(database: Database) -> str | None:
    row = await database.primary.fetch_one(schema_revision())
    return None if row is None else row.version_num

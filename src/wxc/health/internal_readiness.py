"""`/readyz` on the internal port: the result of each check, and the running build."""

import asyncio
import json
from threading import Lock

from wxc.core.build import package_version, revision
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.db.database import Database
from wxc.db.migrations import schema_revisions
from wxc.health.service import Checks, check_dependencies

_lock = Lock()  # each check opens connections of its own: one at a time


def describe_readiness(config: Config) -> tuple[bool, bytes]:
    """Whether all checks succeed, and the JSON with their results; blocks the calling thread."""
    with _lock:
        checks = asyncio.run(_check(config))
    description: dict[str, object] = {
        "status": "not_ready" if checks.is_failed else "ok",
        "version": package_version(),
        "revision": revision(),
        "checks": checks,
    }
    if checks.replica_lag is not None:
        description["replica_lag_seconds"] = checks.replica_lag
    return not checks.is_failed, json.dumps(description).encode()


async def _check(config: Config) -> Checks:
    database, redis = Database(config), RedisClient(config)
    try:
        return await check_dependencies(database, redis, schema_revisions())
    finally:
        await redis.close()
        await database.close()

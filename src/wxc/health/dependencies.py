from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from wxc.core.redis import RedisClient
from wxc.db.migrations import schema_revisions
from wxc.health.service import Startup
from wxc.http.services import services_of
from wxc.server.shutdown import GracefulShutdown


async def open_startup(request: Request) -> Startup:
    return services_of(request).startup


async def open_shutdown(request: Request) -> GracefulShutdown:
    return services_of(request).shutdown


async def open_redis(request: Request) -> RedisClient:
    return services_of(request).redis


async def revisions() -> tuple[str, ...]:
    """As `schema_revisions`; in a thread, because its first call reads files."""
    return await run_in_threadpool(schema_revisions)


Shutdown = Annotated[GracefulShutdown, Depends(open_shutdown)]
StartupState = Annotated[Startup, Depends(open_startup)]
Redis = Annotated[RedisClient, Depends(open_redis)]
Revisions = Annotated[tuple[str, ...], Depends(revisions)]

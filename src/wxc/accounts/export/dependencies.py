import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser
from wxc.accounts.auth.policies import MemberQuota
from wxc.core.ids import new_id
from wxc.core.redis import RedisClient, RedisUnavailable
from wxc.core.tasks import cancel_all
from wxc.http.dependencies import QuotaLimiter
from wxc.http.openapi import raises
from wxc.http.refusals.access import TooManyStreams
from wxc.http.services import services_of

_LOCK_SECONDS = 60  # after which the lock of a killed process is free
_RENEWAL_INTERVAL = 20.0  # seconds
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@raises(TooManyStreams)
async def export_slot(
    request: Request, me: CurrentUser, auth: AuthTools, limiter: QuotaLimiter
) -> AsyncIterator[None]:
    """Hold the member's only export slot, and count the export.

    Raises `TooManyStreams`, `TooManyRequests` and `Overloaded`.
    """
    services = services_of(request)
    with services.streams.export_slot(me.id):
        async with _lock_on_all_instances(services.redis, me.id):
            quota = auth.policies.member(MemberQuota.EXPORTS, me.id, is_verified=me.is_verified)
            await limiter.count(quota)
            yield


@asynccontextmanager
async def _lock_on_all_instances(redis: RedisClient, user_id: UUID) -> AsyncIterator[None]:
    """Raises `TooManyStreams`. Without Redis, there is only the slot of this process."""
    key, owner = f"wxc:export:{user_id.hex}", new_id().hex
    try:
        is_free = await redis.call(lambda client: client.set(key, owner, nx=True, ex=_LOCK_SECONDS))
    except RedisUnavailable:
        is_free = True
    if not is_free:
        raise TooManyStreams
    renewal = asyncio.create_task(_renew(redis, key))
    try:
        yield
    finally:
        await cancel_all([renewal])
        with suppress(RedisUnavailable):
            await redis.call(lambda client: client.eval(_RELEASE, 1, key, owner))


async def _renew(redis: RedisClient, key: str) -> None:
    while True:
        await asyncio.sleep(_RENEWAL_INTERVAL)
        with suppress(RedisUnavailable):
            await redis.call(lambda client: client.expire(key, _LOCK_SECONDS))


ExportSlot = Annotated[None, Depends(export_slot)]

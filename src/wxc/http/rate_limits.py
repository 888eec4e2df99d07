"""Rate limits: exact moving windows in Redis, or per process while Redis is unavailable.

A `Policy` has the rates, a `Hit` the key that is counted. Keys are keyed hashes: neither Redis nor
a dump of it reveals addresses or accounts. `RateLimit` and `RateLimit-Policy` are written as in
draft-ietf-httpapi-ratelimit-headers-10.
"""

import asyncio
import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage

from wxc.core.config import Config
from wxc.core.redis import RedisClient, RedisUnavailable
from wxc.core.signing import derive_key, sign
from wxc.http.refusals.access import RateLimited

T = TypeVar("T")
_MAX_LOCAL_WINDOWS = 20_000  # in a process while Redis is unavailable; the oldest is evicted
_IPV6_PREFIX = 64  # one customer has all of it, so single addresses cost nothing
_IPV6_SITE_PREFIX = 48


class Windows(Protocol):
    """A storage of moving windows, with the interface of the library `limits`."""

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count one hit unless there are `limit` hits within the last `expiry` seconds."""
        ...

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the oldest hit of the window, and the number of hits."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """The rates of an action; clients see the name."""

    name: str
    rates: tuple[RateLimitItem, ...]
    is_for_members: bool = False
    """Whether it counts only users with a session or a known device."""

    @classmethod
    def parse(cls, name: str, rates: str, *, is_for_members: bool = False) -> "Policy":
        """The policy of a setting such as `3 per hour; 5 per day`."""
        return cls(name, tuple(parse_many(rates)), is_for_members)


@dataclass(frozen=True, slots=True)
class Hit:
    """One attempt under a policy, by an address, an account, a device, or several of them."""

    policy: Policy
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quota:
    """The state of one rate: the hits that remain, and the seconds until there are more."""

    name: str
    limit: int
    window: int
    remaining: int
    reset_seconds: int


class RateLimitStore:
    """Counts hits in Redis for all instances; in each process while Redis is unavailable."""

    def __init__(self, config: Config, redis: RedisClient) -> None:
        self._key = derive_key(config.secret_key.get_secret_value(), "limits")
        self._redis = redis
        self._shared = RedisStorage(
            config.redis_url,
            implementation="redispy",
            key_prefix="wxc:limits",
            connection_pool=redis.pool,  # type: ignore[arg-type] # typed for its own options only
        )
        # Windows of members are separate: each anonymous request can come from another address and
        # name another account, and a flood of them would evict the windows of members.
        self._local = LocalWindows()
        self._local_for_members = LocalWindows()

    async def quotas(self, *hits: Hit) -> list[Quota]:
        """The state of each rate of each hit; counts nothing."""
        return await asyncio.gather(
            *(self._quota(hit, rate) for hit in hits for rate in hit.policy.rates)
        )

    async def count(self, *hits: Hit) -> bool:
        """Count each hit once; False if one of them has no quota left.

        A refused hit is not counted under any policy: five mails a day are five that were sent.
        """
        if any(quota.remaining == 0 for quota in await self.quotas(*hits)):
            return False
        counted = await asyncio.gather(
            *(self._count(hit, rate) for hit in hits for rate in hit.policy.rates)
        )
        return all(counted)

    async def _quota(self, hit: Hit, rate: RateLimitItem) -> Quota:
        key, window = self._storage_key(hit, rate), rate.get_expiry()
        oldest, count = await self._call(
            hit.policy, lambda windows: windows.get_moving_window(key, rate.amount, window)
        )
        seconds = math.ceil(oldest + window - time.time())
        return Quota(
            hit.policy.name, rate.amount, window, max(rate.amount - count, 0), max(seconds, 1)
        )

    async def _count(self, hit: Hit, rate: RateLimitItem) -> bool:
        key = self._storage_key(hit, rate)
        return await self._call(
            hit.policy, lambda windows: windows.acquire_entry(key, rate.amount, rate.get_expiry())
        )

    async def _call(self, policy: Policy, command: Callable[[Windows], Awaitable[T]]) -> T:
        try:
            return await self._redis.call(lambda _: command(self._shared))
        except RedisUnavailable:
            return await command(self._local_for_members if policy.is_for_members else self._local)

    def _storage_key(self, hit: Hit, rate: RateLimitItem) -> str:
        digest = sign(self._key, "\0".join(hit.key).encode(), 16).hex()
        return rate.key_for(hit.policy.name, digest)


class LocalWindows:
    """Moving windows of this process, bounded in number.

    The library's own memory storage is not: on each hit it iterates over all its windows.
    """

    def __init__(self, max_windows: int = _MAX_LOCAL_WINDOWS) -> None:
        self._max_windows = max_windows
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count one hit unless there are `limit` hits within the last `expiry` seconds."""
        hits = self._recent_hits(key, expiry)
        if len(hits) + amount > limit:
            return False
        hits.extend([time.time()] * amount)
        self._hits[key] = hits
        self._hits.move_to_end(key)
        if len(self._hits) > self._max_windows:
            self._hits.popitem(last=False)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the oldest hit of the window, and the number of hits."""
        hits = self._recent_hits(key, expiry)
        return (hits[0], min(len(hits), limit)) if hits else (time.time(), 0)

    def _recent_hits(self, key: str, expiry: int) -> deque[float]:
        hits = self._hits.get(key, deque())
        while hits and hits[0] <= time.time() - expiry:
            hits.popleft()
        return hits


class RateLimiter:
    """The rate limits for one client in one request; sets the headers of its response."""

    def __init__(
        self, store: RateLimitStore, address: str, headers: MutableMapping[str, str]
    ) -> None:
        self._store = store
        self._headers = headers
        self.network = network_of(address)

    async def check(self, *hits: Hit) -> None:
        """Raise `RateLimited` if one of the hits has no quota left; counts nothing."""
        quotas = await self._store.quotas(*hits)
        self._set_headers(quotas)
        if any(quota.remaining == 0 for quota in quotas):
            raise RateLimited(retry_after=_retry_after(quotas))

    async def count(self, *hits: Hit) -> None:
        """Count each hit once; raises `RateLimited` if one of them has no quota left."""
        is_counted = await self._store.count(*hits)
        quotas = await self._store.quotas(*hits)
        self._set_headers(quotas)
        if not is_counted:
            raise RateLimited(retry_after=_retry_after(quotas))

    def _set_headers(self, quotas: Sequence[Quota]) -> None:
        self._headers["RateLimit-Policy"] = ", ".join(
            f'"{quota.name}";q={quota.limit};w={quota.window}' for quota in quotas
        )
        self._headers["RateLimit"] = ", ".join(
            f'"{quota.name}";r={quota.remaining};t={quota.reset_seconds}' for quota in quotas
        )


def network_of(address: str) -> str:
    """The network that is counted: an IPv4 address, or the /64 of an IPv6 one (RFC 6177)."""
    ip = _ip_of(address)
    if ip is None:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False))


def site_of(address: str) -> str | None:
    """The /48 of an IPv6 address, all of which one customer may have (RFC 6177); else None."""
    ip = _ip_of(address)
    if ip is None or ip.version == 4:
        return None
    return str(ipaddress.ip_network((ip, _IPV6_SITE_PREFIX), strict=False))


def _ip_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address without its zone, and as IPv4 if it is mapped; None for a local socket."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def _retry_after(quotas: Sequence[Quota]) -> int:
    """Seconds until every quota has hits left."""
    return max((quota.reset_seconds for quota in quotas if quota.remaining == 0), default=1)

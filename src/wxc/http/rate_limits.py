"""How often somebody may try something: exact moving windows in Redis, or without it per process.

A `Policy` says how often, a `Use` of it by whom. Keys are keyed hashes: neither Redis nor a dump
of it tells who tried what. `RateLimit` and `RateLimit-Policy` are written as in
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
from wxc.http.refusals import RateLimited

T = TypeVar("T")
_MOST_KEPT = 20_000  # windows in a process while Redis is away; then the oldest one is forgotten
_IPV6_PREFIX = 64  # what one customer has; a single address of it costs nothing
_IPV6_SITE_PREFIX = 48


class Windows(Protocol):
    """Where uses are counted, as `limits` calls it."""

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count one use unless `limit` of them lie within the last `expiry` seconds."""
        ...

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest use of the window was, and how many there are."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """How often something may be done; the name is what clients see."""

    name: str
    rates: tuple[RateLimitItem, ...]
    is_for_members: bool = False
    """Nobody is counted by it without a session or a known device."""

    @classmethod
    def of(cls, name: str, rates: str, *, is_for_members: bool = False) -> "Policy":
        """The policy of a setting such as `3 per hour; 5 per day`."""
        return cls(name, tuple(parse_many(rates)), is_for_members)


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody's use of a policy: an address, an account, a device, or several of them."""

    policy: Policy
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of one rate is left, and in how many seconds there will be more."""

    name: str
    quota: int
    window: int
    left: int
    seconds: int


class Limits:
    """Counts uses, for all instances in Redis; while it is away each process for itself."""

    def __init__(self, config: Config, redis: RedisClient) -> None:
        self._key = derive_key(config.secret_key.get_secret_value(), "limits")
        self._redis = redis
        self._shared = RedisStorage(
            config.redis_url,
            implementation="redispy",
            key_prefix="wxc:limits",
            connection_pool=redis.pool,  # type: ignore[arg-type] # typed for its own options only
        )
        # Members' windows are kept apart: each anonymous request can come from another address
        # and name another account, and a flood of them would evict what members have used up.
        self._own = LocalWindows()
        self._own_of_members = LocalWindows()

    async def standings(self, *uses: Use) -> list[Standing]:
        """How each rate of each use stands; nothing is counted."""
        return await asyncio.gather(
            *(self._standing(use, rate) for use in uses for rate in use.policy.rates)
        )

    async def count(self, *uses: Use) -> bool:
        """Count one of each; False when one of them was used up already.

        What is refused counts for nothing else: five mails a day are five that were sent.
        """
        if any(standing.left == 0 for standing in await self.standings(*uses)):
            return False
        counted = await asyncio.gather(
            *(self._count(use, rate) for use in uses for rate in use.policy.rates)
        )
        return all(counted)

    async def _standing(self, use: Use, rate: RateLimitItem) -> Standing:
        key, window = self._key_of(use, rate), rate.get_expiry()
        oldest, count = await self._ask(
            use.policy, lambda windows: windows.get_moving_window(key, rate.amount, window)
        )
        seconds = math.ceil(oldest + window - time.time())
        return Standing(
            use.policy.name, rate.amount, window, max(rate.amount - count, 0), max(seconds, 1)
        )

    async def _count(self, use: Use, rate: RateLimitItem) -> bool:
        key = self._key_of(use, rate)
        return await self._ask(
            use.policy, lambda windows: windows.acquire_entry(key, rate.amount, rate.get_expiry())
        )

    async def _ask(self, policy: Policy, question: Callable[[Windows], Awaitable[T]]) -> T:
        try:
            return await self._redis.call(lambda _: question(self._shared))
        except RedisUnavailable:
            return await question(self._own_of_members if policy.is_for_members else self._own)

    def _key_of(self, use: Use, rate: RateLimitItem) -> str:
        by = sign(self._key, "\0".join(use.by).encode(), 16).hex()
        return rate.key_for(use.policy.name, by)


class LocalWindows:
    """Moving windows of this process, bounded in number.

    The library's own memory storage is not: on each use it walks through all that it holds.
    """

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._uses: OrderedDict[str, deque[float]] = OrderedDict()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count one use unless `limit` of them lie within the last `expiry` seconds."""
        uses = self._within(key, expiry)
        if len(uses) + amount > limit:
            return False
        uses.extend([time.time()] * amount)
        self._uses[key] = uses
        self._uses.move_to_end(key)
        if len(self._uses) > self._most:
            self._uses.popitem(last=False)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest use of the window was, and how many there are."""
        uses = self._within(key, expiry)
        return (uses[0], min(len(uses), limit)) if uses else (time.time(), 0)

    def _within(self, key: str, expiry: int) -> deque[float]:
        uses = self._uses.get(key, deque())
        while uses and uses[0] <= time.time() - expiry:
            uses.popleft()
        return uses


class Throttle:
    """The limits as one client meets them in one request; its answer says how they stand."""

    def __init__(self, limits: Limits, address: str, headers: MutableMapping[str, str]) -> None:
        self._limits = limits
        self._headers = headers
        self.network = network_of(address)

    async def check(self, *uses: Use) -> None:
        """Raise `RateLimited` when one of them is used up; nothing is counted."""
        standings = await self._limits.standings(*uses)
        self._tell(standings)
        if any(standing.left == 0 for standing in standings):
            raise RateLimited(retry_after=_wait(standings))

    async def count(self, *uses: Use) -> None:
        """Count one of each; raises `RateLimited` when one of them was used up already."""
        is_counted = await self._limits.count(*uses)
        standings = await self._limits.standings(*uses)
        self._tell(standings)
        if not is_counted:
            raise RateLimited(retry_after=_wait(standings))

    async def count_silently(self, use: Use) -> bool:
        """Count one without a word to the client; False when it was used up already."""
        return await self._limits.count(use)

    def _tell(self, standings: Sequence[Standing]) -> None:
        self._headers["RateLimit-Policy"] = ", ".join(
            f'"{one.name}";q={one.quota};w={one.window}' for one in standings
        )
        self._headers["RateLimit"] = ", ".join(
            f'"{one.name}";r={one.left};t={one.seconds}' for one in standings
        )


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 one (RFC 6177)."""
    ip = _ip_of(address)
    if ip is None:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False))


def site_of(address: str) -> str | None:
    """The /48 of an IPv6 address, which one customer may have whole (RFC 6177); else None."""
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


def _wait(standings: Sequence[Standing]) -> int:
    """Seconds until none of them is used up."""
    return max((one.seconds for one in standings if one.left == 0), default=1)

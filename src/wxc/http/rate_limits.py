"""Rate limits: exact moving windows in Redis, or per process while Redis is unavailable.

A `Policy` has the rates, a `Hit` the key that is counted. Keys are stored as keyed hashes: neither
Redis nor a dump of it reveals addresses or accounts. `RateLimit` and `RateLimit-Policy` follow
draft-ietf-httpapi-ratelimit-headers-10.
"""

import ipaddress
import math
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from limits import RateLimitItem, parse_many
from redis.asyncio import Redis

from wxc.core.config import Config
from wxc.core.redis import RedisClient, RedisUnavailable
from wxc.core.signing import derive_key, sign
from wxc.http.refusals.access import RateLimited
from wxc.http.refusals.base import Refusal
from wxc.http.windows import LocalWindows, Window, count_locally, send_count

_IPV6_PREFIX = 64  # one customer has a whole /64, so a single address means nothing
_IPV6_SITE_PREFIX = 48


@dataclass(frozen=True, slots=True)
class Policy:
    """The rates of an action; the name appears in response headers."""

    name: str
    rates: tuple[RateLimitItem, ...]
    is_for_members: bool = False
    """Whether it counts only members with a session or a known device."""

    @classmethod
    def parse(cls, name: str, rates: str, *, is_for_members: bool = False) -> "Policy":
        """The policy of a setting such as `3 per hour; 5 per day`."""
        return cls(name, tuple(parse_many(rates)), is_for_members)

    def halved(self) -> "Policy":
        """The policy with half of each rate, which counts in the same windows."""
        rates = (type(rate)(max(rate.amount // 2, 1), rate.multiples) for rate in self.rates)
        return replace(self, rates=tuple(rates))


@dataclass(frozen=True, slots=True)
class Hit:
    """One attempt under a policy, by an address, an account, a device, or several of them."""

    policy: Policy
    key: tuple[str, ...]
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Quota:
    """The state of one rate: the remaining hits, and the seconds until one more is available."""

    name: str
    limit: int
    window: int
    remaining: int
    reset_seconds: int
    is_exhausted: bool
    """Whether it has too few hits left: for a refused count, or for one more."""


@dataclass(slots=True)
class Count:
    """A command for Redis that counts all of its windows or none."""

    windows: Sequence[Window]
    reply: Sequence[Any] | None = None
    """Whether they were counted; then for each the hits, and the time of one that has to leave."""

    def send(self, redis: Redis) -> Any:  # noqa: ANN401 - an awaitable, or the pipeline
        return send_count(redis, self.windows)

    @property
    def result(self) -> tuple[bool, list[Quota]]:
        """Whether the hits were counted, and the state of each rate."""
        assert self.reply is not None  # noqa: S101 - Redis or this process has counted
        is_counted, *states = self.reply
        quotas = [
            Quota(
                window.name,
                window.limit,
                window.seconds,
                max(window.limit - int(hits), 0),
                max(math.ceil(float(leaving) + window.seconds - time.time()), 1),
                int(hits) + max(window.amount, 1) > window.limit,
            )
            for window, hits, leaving in zip(self.windows, states[::2], states[1::2], strict=True)
        ]
        return bool(is_counted), quotas


class RateLimitStore:
    """Counts hits in Redis for all instances; in each process while Redis is unavailable."""

    def __init__(self, config: Config, redis: RedisClient) -> None:
        self._key = derive_key(config.secret_key.get_secret_value(), "limits")
        self._redis = redis
        # Members have their own windows: a flood of anonymous requests, each with another address
        # and account name, would evict theirs.
        self._local = LocalWindows()
        self._local_for_members = LocalWindows()

    async def quotas(self, *hits: Hit) -> list[Quota]:
        """The state of each rate of each hit; counts nothing."""
        count = self.prepare(*(replace(hit, amount=0) for hit in hits))
        await self.send(count)
        return count.result[1]

    async def count(self, *hits: Hit) -> bool:
        """Count all hits; False, and none is counted, if one of them has no quota left.

        A refused hit counts under no policy: "5 per day" means five mails that were sent.
        """
        count = self.prepare(*hits)
        await self.send(count)
        return count.result[0]

    async def send(self, count: Count) -> None:
        """One round trip to Redis."""
        try:
            count.reply = await self._redis.call(count.send)
        except RedisUnavailable:
            self.count_locally(count)

    def count_locally(self, count: Count) -> None:
        """Count in the windows of this process."""
        local = [
            self._local_for_members if window.is_for_members else self._local
            for window in count.windows
        ]
        count.reply = count_locally(local, count.windows)

    def prepare(self, *hits: Hit) -> Count:
        """The command that counts the hits, to be sent alone or together with others."""
        return Count(
            [
                Window(
                    hit.policy.name,
                    hit.policy.is_for_members,
                    self._storage_key(hit, rate),
                    rate.amount,
                    rate.get_expiry(),
                    hit.amount,
                )
                for hit in hits
                for rate in hit.policy.rates
            ]
        )

    def _storage_key(self, hit: Hit, rate: RateLimitItem) -> str:
        """Does not contain the limit, so that hits still count after the limit has changed."""
        digest = sign(self._key, "\0".join(hit.key).encode(), 16).hex()
        return f"wxc:limits:{hit.policy.name}/{digest}/{rate.get_expiry()}"


class RateLimiter:
    """Checks and counts the hits of one request; sets the headers of its response."""

    def __init__(
        self,
        store: RateLimitStore,
        address: str,
        headers: MutableMapping[str, str],
        refusal: type[Refusal] = RateLimited,
    ) -> None:
        self._store = store
        self._refusal = refusal
        self._headers = headers
        self._address = address

    @property
    def network(self) -> str:
        """Of the client; parsing its address costs more than the rest of a limiter."""
        return network_of(self._address)

    async def check(self, *hits: Hit) -> None:
        """Raise the refusal if one of the hits has no quota left; counts nothing."""
        quotas = await self._store.quotas(*hits)
        self._set_headers(quotas)
        if any(quota.is_exhausted for quota in quotas):
            raise self._refusal(retry_after=_retry_after(quotas))

    async def count(self, *hits: Hit) -> None:
        """Count all hits; raises the refusal, and counts none, if one has no quota left."""
        count = self._store.prepare(*hits)
        await self._store.send(count)
        self.settle(count)

    def prepare(self, *hits: Hit) -> Count:
        """To be sent to Redis with another command, and then settled."""
        return self._store.prepare(*hits)

    def settle(self, count: Count) -> None:
        """Like `count`, for hits that were sent; counts them in this process if they were not."""
        if count.reply is None:
            self._store.count_locally(count)
        is_counted, quotas = count.result
        self._set_headers(quotas)
        if not is_counted:
            raise self._refusal(retry_after=_retry_after(quotas))

    def _set_headers(self, quotas: Sequence[Quota]) -> None:
        """Keeps what the headers already contain of other policies."""
        items = {
            "RateLimit-Policy": [
                f'"{each.name}";q={each.limit};w={each.window}' for each in quotas
            ],
            "RateLimit": [
                f'"{each.name}";r={each.remaining};t={each.reset_seconds}' for each in quotas
            ],
        }
        names = {f'"{quota.name}"' for quota in quotas}
        for header, added in items.items():
            present = self._headers.get(header, "").split(", ")
            kept = [item for item in present if item and item.partition(";")[0] not in names]
            self._headers[header] = ", ".join([*kept, *added])


def network_of(address: str) -> str:
    """The network to count: an IPv4 address, or the /64 of an IPv6 address (RFC 6177)."""
    ip = _ip_of(address)
    if ip is None:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False))


def site_of(address: str) -> str | None:
    """The /48 of an IPv6 address, which one customer may own (RFC 6177); else None."""
    ip = _ip_of(address)
    if ip is None or ip.version == 4:
        return None
    return str(ipaddress.ip_network((ip, _IPV6_SITE_PREFIX), strict=False))


def _ip_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address without its zone, as IPv4 if it is mapped; None for a Unix socket."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def _retry_after(quotas: Sequence[Quota]) -> int:
    """Seconds until every quota has hits left."""
    return max(quota.reset_seconds for quota in quotas if quota.is_exhausted)

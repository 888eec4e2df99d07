"""Moving windows in Redis and in the process have the same results."""

import re
import time
from uuid import uuid4

import pytest

from wxc.accounts.auth.devices import Device
from wxc.accounts.auth.policies import MemberQuota, Policies
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.http.rate_limits import (
    Hit,
    Policy,
    RateLimiter,
    RateLimitStore,
    network_of,
    site_of,
)
from wxc.http.refusals.access import RateLimited
from wxc.http.windows import LocalWindows

ADA = Hit(Policy.parse("tries", "3 per 10 seconds"), ("ada",))
GRACE = Hit(ADA.policy, ("grace",))


class Clock:
    """Replaces `time.time`; tests set `now` (seconds)."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture(params=["Redis", "no Redis"])
def limits(config: Config, redis: RedisClient, request: pytest.FixtureRequest) -> RateLimitStore:
    redis.is_tripped = request.param == "no Redis"
    return RateLimitStore(config, redis)


async def test_window_moves_with_each_hit(limits: RateLimitStore, clock: Clock) -> None:
    start = clock.now
    counted = []
    for second in (0, 4, 8, 9.9, 10.1, 10.2, 14.1):
        clock.now = start + second
        counted.append(await limits.count(ADA))

    assert counted == [True, True, True, False, True, False, True]
    assert await limits.count(GRACE)


async def test_quota_has_the_seconds_until_the_next_allowed_hit(
    limits: RateLimitStore, clock: Clock
) -> None:
    for _ in range(3):
        await limits.count(ADA)
        clock.now += 2

    (quota,) = await limits.quotas(ADA)

    assert (quota.remaining, quota.reset_seconds) == (0, 4)
    clock.now += quota.reset_seconds + 0.001
    assert await limits.count(ADA)


async def test_every_rate_of_a_policy_applies(limits: RateLimitStore, clock: Clock) -> None:
    mails = Hit(Policy.parse("mails", "2 per minute; 3 per hour"), ("ada",))
    first = [await limits.count(mails) for _ in range(3)]
    clock.now += 61
    second = [await limits.count(mails) for _ in range(3)]

    assert (first, second) == ([True, True, False], [True, False, False])


async def test_headers_state_the_policy_and_the_remaining_quota(limits: RateLimitStore) -> None:
    headers: dict[str, str] = {}
    limiter = RateLimiter(limits, "192.0.2.1", headers)

    await limiter.count(ADA)
    assert headers["RateLimit-Policy"] == '"tries";q=3;w=10'
    assert re.fullmatch(r'"tries";r=2;t=(9|10)', headers["RateLimit"])
    await limiter.count(ADA)
    await limiter.count(ADA)
    with pytest.raises(RateLimited) as refused:
        await limiter.count(ADA)

    assert headers["RateLimit"].startswith('"tries";r=0;')
    assert refused.value.retry_after in (9, 10)


async def test_redis_keys_do_not_reveal_addresses(config: Config, redis: RedisClient) -> None:
    await RateLimitStore(config, redis).count(Hit(ADA.policy, ("ada@example.com", "192.0.2.1")))

    (key,) = await redis.call(lambda client: client.keys("wxc:limits*"))

    assert re.fullmatch(r"wxc:limits:tries/[0-9a-f]{32}/10", str(key))
    assert 0 < await redis.call(lambda client: client.ttl(key)) <= 10


def test_least_recently_used_local_windows_are_evicted() -> None:
    windows = LocalWindows(max_windows=3)
    for key in ("a", "b", "c", "a", "d"):
        windows.add(key, 1)

    counts = {key: len(windows.recent(key, 60)) for key in "abcd"}
    assert counts == {"a": 2, "b": 0, "c": 1, "d": 1}


async def test_without_redis_anonymous_requests_do_not_evict_counts_of_members(
    config: Config, redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalWindows.__init__, "__defaults__", (3,))
    redis.is_tripped = True
    limits, policies = RateLimitStore(config, redis), Policies(config)
    member, device = uuid4(), Device(uuid4(), uuid4(), 0)
    hits = (
        policies.reauthentication(member, 0),
        policies.member(MemberQuota.REPORTS, member, is_verified=True),
        *policies.login("ada", "192.0.2.1", 0, device),
    )
    await limits.count(*hits)

    for number in range(20):
        await limits.count(policies.registration(f"198.51.100.{number}"))
        await limits.count(*policies.login(f"nobody_{number}", "198.51.100.1", 0, None))

    quotas = await limits.quotas(*hits)
    assert [quota.limit - quota.remaining for quota in quotas] == [1] * 3


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("local", "local"),
    ],
)
def test_address_is_counted_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("192.0.2.1", None),
        ("::ffff:192.0.2.1", None),
        ("local", None),
    ],
)
def test_site_is_the_48_of_an_ipv6_address(address: str, site: str | None) -> None:
    assert site_of(address) == site

"""The rate limits that each attempt counts towards."""

from uuid import UUID

import pytest

from wxc.accounts.auth.devices import Device
from wxc.accounts.auth.policies import MemberQuota, Policies
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.http.rate_limits import RateLimitStore
from wxc.mail.outbox import Outbox

ADA, BOB = UUID(int=1), UUID(int=2)
NETWORK = "198.51.100.0/24"


@pytest.fixture
def policies(config: Config) -> Policies:
    return Policies(config)


def test_failed_login_counts_towards_account_network_and_both(policies: Policies) -> None:
    hits = policies.login("Ada", NETWORK, 3, None)

    assert [(hit.policy.name, hit.key) for hit in hits] == [
        ("login-account-ip", ("ada", "3", NETWORK)),
        ("login-account", ("ada", "3")),
        ("login-ip", (NETWORK,)),
    ]
    assert not any(hit.policy.is_for_members for hit in hits)


def test_failed_login_on_a_trusted_device_counts_towards_the_device_only(
    policies: Policies,
) -> None:
    (hit,) = policies.login("ada", NETWORK, 3, Device(UUID(int=7), ADA, 3))

    assert (hit.policy.name, hit.key) == ("login-device", (UUID(int=7).hex,))
    assert hit.policy.is_for_members


def test_a_new_password_starts_with_unused_limits_of_its_account(policies: Policies) -> None:
    before, after = (policies.login("ada", NETWORK, generation, None) for generation in (3, 4))
    unused = [hit.policy.name for hit in after if hit not in before]

    assert unused == ["login-account-ip", "login-account"]
    assert policies.reauthentication(ADA, 3) != policies.reauthentication(ADA, 4)


def test_wrong_current_passwords_are_counted_by_account(policies: Policies) -> None:
    hit = policies.reauthentication(ADA, 3)

    assert (hit.policy.name, hit.key) == ("reauthentication", (ADA.hex, "3"))
    assert hit.policy.is_for_members
    assert policies.reauthentication(BOB, 3) != hit


def test_requests_of_strangers_are_counted_by_network_under_separate_policies(
    policies: Policies,
) -> None:
    hits = (
        policies.registration(NETWORK),
        policies.password_reset(NETWORK),
        *policies.mail_request(NETWORK),
    )

    assert [hit.policy.name for hit in hits] == ["register-ip", "reset-ip", "mails-ip"]
    assert {hit.key for hit in hits} == {(NETWORK,)}
    assert not any(hit.policy.is_for_members for hit in hits)


def test_mail_request_of_a_member_counts_towards_network_and_account(policies: Policies) -> None:
    by_network, by_account = policies.mail_request(NETWORK, ADA)

    assert (by_network,) == policies.mail_request(NETWORK)
    assert (by_account.policy.name, by_account.key) == ("mails-account", (ADA.hex,))
    assert by_account.policy.is_for_members


@pytest.mark.parametrize("quota", MemberQuota)
@pytest.mark.parametrize("is_verified", [True, False])
def test_each_quota_of_members_is_counted_by_account(
    policies: Policies, quota: MemberQuota, is_verified: bool
) -> None:
    hit = policies.member(quota, ADA, is_verified=is_verified)
    several = policies.member(quota, ADA, is_verified=is_verified, amount=5)

    assert (hit.policy.name, hit.key, hit.amount) == (f"{quota}-account", (ADA.hex,), 1)
    assert hit.policy.is_for_members
    assert (several.policy, several.key, several.amount) == (hit.policy, hit.key, 5)
    assert policies.member(quota, BOB, is_verified=is_verified) != hit


@pytest.mark.parametrize("quota", MemberQuota)
def test_each_quota_is_halved_until_the_address_is_verified(
    policies: Policies, quota: MemberQuota
) -> None:
    full = policies.member(quota, ADA, is_verified=True).policy.rates
    halved = policies.member(quota, ADA, is_verified=False).policy.rates

    assert [rate.amount for rate in halved] == [rate.amount // 2 for rate in full]
    assert [rate.get_expiry() for rate in halved] == [rate.get_expiry() for rate in full]


def test_a_halved_quota_is_rounded_down_but_allows_one(config: Config) -> None:
    limits = {"limit_reports_per_account": "1 per minute; 3 per hour; 10 per day"}
    policies = Policies(config.model_copy(update=limits))

    halved = policies.member(MemberQuota.REPORTS, ADA, is_verified=False).policy.rates

    assert [rate.amount for rate in halved] == [1, 1, 5]


def test_mails_are_counted_by_folded_recipient(config: Config) -> None:
    outbox = Outbox(config, RateLimitStore(config, RedisClient(config)))

    assert outbox.hit("Ada@Example.com") == outbox.hit("ada@example.com")
    assert outbox.hit("bob@example.com") != outbox.hit("ada@example.com")

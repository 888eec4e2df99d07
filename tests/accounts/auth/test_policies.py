"""What each attempt counts towards."""

from uuid import UUID

import pytest

from wxc.accounts.auth.devices import Device
from wxc.accounts.auth.policies import Policies
from wxc.core.config import Config

ADA, BOB = UUID(int=1), UUID(int=2)
NETWORK = "198.51.100.0/24"


@pytest.fixture
def policies(config: Config) -> Policies:
    return Policies(config)


def test_a_login_counts_towards_the_account_the_network_and_both(policies: Policies) -> None:
    hits = policies.login("Ada", NETWORK, ADA, None)

    assert [(hit.policy.name, hit.key) for hit in hits] == [
        ("login-account-ip", ("ada", NETWORK)),
        ("login-account", ("ada",)),
        ("login-ip", (NETWORK,)),
    ]
    assert not any(hit.policy.is_for_members for hit in hits)


def test_a_known_device_of_the_account_has_a_limit_of_its_own(policies: Policies) -> None:
    (hit,) = policies.login("ada", NETWORK, ADA, Device(UUID(int=7), ADA))

    assert (hit.policy.name, hit.key) == ("login-device", (UUID(int=7).hex,))
    assert hit.policy.is_for_members


@pytest.mark.parametrize("user_id", [BOB, None])
def test_the_device_of_another_account_opens_no_second_limit(
    policies: Policies, user_id: UUID | None
) -> None:
    device = Device(UUID(int=7), ADA)

    assert policies.login("x", NETWORK, user_id, device) == policies.login("x", NETWORK, None, None)


def test_members_and_strangers_are_counted_apart(policies: Policies) -> None:
    of_members = (policies.reauthentication(ADA), policies.report(ADA))
    of_anybody = (
        policies.registration(NETWORK),
        policies.password_reset(NETWORK),
        policies.mail_request(NETWORK),
    )

    assert all(hit.policy.is_for_members and hit.key == (ADA.hex,) for hit in of_members)
    assert not any(hit.policy.is_for_members for hit in of_anybody)
    assert {hit.key for hit in of_anybody} == {(NETWORK,)}
    names = {hit.policy.name for hit in (*of_members, *of_anybody)}
    assert len(names) == len(of_members) + len(of_anybody)


def test_mails_are_counted_by_folded_recipient(policies: Policies) -> None:
    assert policies.mail_to("Ada@Example.com") == policies.mail_to("ada@example.com")
    assert policies.mail_to("bob@example.com") != policies.mail_to("ada@example.com")

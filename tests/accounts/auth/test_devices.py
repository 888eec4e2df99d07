"""The cookie of a browser in which an account has logged in before."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from wxc.accounts.auth.devices import Device, Devices
from wxc.core.config import Config

ADA, BOB = UUID(int=2**127 + 1), UUID(int=2)
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFETIME = timedelta(days=10)


@pytest.fixture
def devices(config: Config) -> Devices:
    return Devices(config.model_copy(update={"device_lifetime": int(LIFETIME.total_seconds())}))


def test_a_cookie_names_its_account_and_device_until_it_expires(devices: Devices) -> None:
    cookie = devices.cookie(ADA, None, MOMENT)

    device = devices.read(cookie, MOMENT)
    assert device is not None
    assert device.user_id == ADA
    assert device.id not in (ADA, UUID(int=0))
    assert devices.read(cookie, MOMENT + LIFETIME) == device
    assert devices.read(cookie, MOMENT + LIFETIME + timedelta(microseconds=1)) is None


def test_a_known_device_keeps_its_id_and_is_renewed(devices: Devices) -> None:
    known = Device(UUID(int=7), ADA)
    later = MOMENT + LIFETIME

    cookie = devices.cookie(ADA, known, later)

    assert devices.read(cookie, later + LIFETIME) == known


def test_the_device_of_another_account_gets_an_id_of_its_own(devices: Devices) -> None:
    cookie = devices.cookie(ADA, Device(UUID(int=7), BOB), MOMENT)

    device = devices.read(cookie, MOMENT)
    assert device is not None
    assert (device.user_id, device.id == UUID(int=7)) == (ADA, False)


def test_two_devices_differ(devices: Devices) -> None:
    assert devices.cookie(ADA, None, MOMENT) != devices.cookie(ADA, None, MOMENT)


def test_any_changed_byte_makes_a_cookie_worthless(devices: Devices) -> None:
    cookie = devices.cookie(ADA, None, MOMENT)
    raw = urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))

    assert len(raw) == 16 + 16 + 8 + 32
    assert "=" not in cookie
    for at in range(len(raw)):
        changed = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])
        forged = urlsafe_b64encode(changed).decode().rstrip("=")
        assert devices.read(forged, MOMENT) is None, at


@pytest.mark.parametrize("suffix", ["A", "AAAA", "A" * 40, "A" * 400])
def test_a_cookie_with_more_at_its_end_is_worthless(devices: Devices, suffix: str) -> None:
    assert devices.read(devices.cookie(ADA, None, MOMENT) + suffix, MOMENT) is None


@pytest.mark.parametrize("text", ["", "A", "AA", "AAA", "AAAA", "A" * 96, "é", "a" * 100_000])
def test_any_other_text_is_no_device(devices: Devices, text: str) -> None:
    assert devices.read(text, MOMENT) is None


def test_the_cookies_of_another_server_are_worthless(devices: Devices, config: Config) -> None:
    other = Devices(config.model_copy(update={"secret_key": type(config.secret_key)("o" * 40)}))

    assert devices.read(other.cookie(ADA, None, MOMENT), MOMENT) is None

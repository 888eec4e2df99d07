"""The cookie of a browser in which an account has logged in before."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from wxc.accounts.auth.devices import Device, Devices
from wxc.core.config import Config
from wxc.core.signing import sign

ADA, BOB = UUID(int=2**127 + 1), UUID(int=2)
GENERATION = 2**32 - 2
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFETIME = timedelta(days=10)
KNOWN = Device(UUID(int=7), ADA, GENERATION)


@pytest.fixture
def devices(config: Config) -> Devices:
    return Devices(config.model_copy(update={"device_lifetime": int(LIFETIME.total_seconds())}))


def decoded(cookie: str) -> bytes:
    return urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def test_cookie_contains_account_device_and_password_generation_until_it_expires(
    devices: Devices,
) -> None:
    cookie = devices.cookie(ADA, GENERATION, None, MOMENT)

    device = devices.read(cookie, MOMENT)
    assert device is not None
    assert (device.user_id, device.password_generation) == (ADA, GENERATION)
    assert device.id not in (ADA, UUID(int=0))
    assert devices.read(cookie, MOMENT + LIFETIME) == device
    assert devices.read(cookie, MOMENT + LIFETIME + timedelta(microseconds=1)) is None


def test_login_renews_the_cookie_of_a_known_device_and_keeps_its_id(devices: Devices) -> None:
    later = MOMENT + LIFETIME

    cookie = devices.cookie(ADA, GENERATION, KNOWN, later)

    assert devices.read(cookie, later + LIFETIME) == KNOWN


def test_device_is_trusted_by_the_account_that_logged_in_on_it_with_its_current_password() -> None:
    assert KNOWN.is_trusted_by(ADA, GENERATION)


@pytest.mark.parametrize("generation", [0, GENERATION - 1, GENERATION + 1])
def test_device_is_not_trusted_with_another_password_generation(generation: int) -> None:
    assert not KNOWN.is_trusted_by(ADA, generation)


def test_device_is_not_trusted_by_another_account() -> None:
    assert not KNOWN.is_trusted_by(BOB, GENERATION)


def test_each_new_device_gets_its_own_id(devices: Devices) -> None:
    first, second = (
        devices.read(devices.cookie(ADA, GENERATION, None, MOMENT), MOMENT) for _ in range(2)
    )

    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_cookie_with_any_changed_byte_is_refused(devices: Devices) -> None:
    cookie = devices.cookie(ADA, GENERATION, None, MOMENT)
    raw = decoded(cookie)

    assert len(raw) == 16 + 16 + 8 + 4 + 32
    assert "=" not in cookie
    for index in range(len(raw)):
        changed = bytes([*raw[:index], raw[index] ^ 1, *raw[index + 1 :]])
        assert devices.read(encoded(changed), MOMENT) is None, index


def test_cookie_of_the_previous_release_has_generation_zero(devices: Devices) -> None:
    payload = decoded(devices.cookie(ADA, GENERATION, KNOWN, MOMENT))[: 16 + 16 + 8]
    cookie = encoded(payload + sign(devices._key, payload))

    assert devices.read(cookie, MOMENT + LIFETIME) == Device(KNOWN.id, ADA, 0)
    assert devices.read(cookie, MOMENT + LIFETIME + timedelta(seconds=1)) is None


@pytest.mark.parametrize("length", [0, 16, 32, 39, 41, 43, 45, 64])
def test_signed_cookie_of_any_other_length_is_refused(devices: Devices, length: int) -> None:
    payload = (decoded(devices.cookie(ADA, GENERATION, None, MOMENT))[:44] * 2)[:length]

    assert devices.read(encoded(payload + sign(devices._key, payload)), MOMENT) is None


@pytest.mark.parametrize("suffix", ["A", "AAAA", "A" * 40, "A" * 400])
def test_cookie_with_a_suffix_is_refused(devices: Devices, suffix: str) -> None:
    cookie = devices.cookie(ADA, GENERATION, None, MOMENT)

    assert devices.read(cookie + suffix, MOMENT) is None


@pytest.mark.parametrize(
    "text", ["", "A", "AA", "AAA", "AAAA", "A" * 96, "A" * 102, "é", "a" * 100_000]
)
def test_arbitrary_text_is_no_device_cookie(devices: Devices, text: str) -> None:
    assert devices.read(text, MOMENT) is None


def test_cookie_signed_with_another_secret_is_refused(devices: Devices, config: Config) -> None:
    other = Devices(config.model_copy(update={"secret_key": type(config.secret_key)("o" * 40)}))

    assert devices.read(other.cookie(ADA, GENERATION, None, MOMENT), MOMENT) is None

"""Bounds of tokens: times to the second, lengths to the character."""

import re
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from wxc.accounts.auth.cookies import SessionCookies
from wxc.accounts.auth.devices import Device
from wxc.accounts.auth.errors import NotAuthenticated
from wxc.accounts.auth.tokens import AUDIENCE, ISSUER, AccessClaims, Tokens, _VerifiedToken
from wxc.core.config import Config

ISSUED = datetime(2020, 5, 1, tzinfo=UTC)
LEEWAY = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
TIMESTAMP_BOUND = 2**33
VALUES: tuple[Any, ...] = (
    SessionCookies("a", "r", False),
    Device(UUID(int=1), UUID(int=2), 0),
    AccessClaims(UUID(int=1), UUID(int=2), True, ISSUED, False),
    _VerifiedToken(UUID(int=1), UUID(int=2), True, ISSUED, ISSUED),
)


@pytest.fixture
def tokens(config: Config) -> Tokens:
    return Tokens(config)


def mint(tokens: Tokens, **changes: object) -> str:
    """A correctly signed token with these claims."""
    issued = int(ISSUED.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(UUID(int=1)),
        "sid": str(UUID(int=2)),
        "jti": "1",
        "iat": issued,
        "nbf": issued,
        "exp": issued + 600,
        "typ": "access",
        **changes,
    }
    headers = {"kid": tokens._keys.current_id, "typ": "at+jwt"}
    return jwt.encode(claims, tokens._keys.current, "HS256", headers=headers)


def test_token_expires_thirty_seconds_after_its_exp_claim(tokens: Tokens) -> None:
    token = tokens.access_token(UUID(int=1), UUID(int=2), ISSUED)
    end = ISSUED + tokens.access_lifetime + LEEWAY

    assert not tokens.verify_access(token, end - SECOND).is_expired
    assert tokens.verify_access(token, end).is_expired


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_token_is_accepted_from_thirty_seconds_before_its_iat_and_nbf_claims(
    tokens: Tokens, claim: str
) -> None:
    start = datetime(2100, 1, 1, tzinfo=UTC)
    seconds = int(start.timestamp())
    token = mint(tokens, **{claim: seconds}, exp=seconds + 600)

    assert tokens.verify_access(token, start - LEEWAY).session_id == UUID(int=2)
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(token, start - LEEWAY - SECOND)


def test_times_of_a_token_are_whole_seconds_between_1970_and_2242(tokens: Tokens) -> None:
    assert tokens.verify_access(mint(tokens, iat=0, nbf=0), ISSUED).user_id == UUID(int=1)
    last = datetime.fromtimestamp(TIMESTAMP_BOUND - 1, UTC)
    assert not tokens.verify_access(mint(tokens, exp=TIMESTAMP_BOUND - 1), last).is_expired
    for changes in ({"iat": -1}, {"exp": TIMESTAMP_BOUND}):
        with pytest.raises(NotAuthenticated):
            tokens.verify_access(mint(tokens, **changes), last)


def test_token_expires_at_most_thirty_seconds_later_than_one_issued_now(tokens: Tokens) -> None:
    latest = ISSUED + tokens.access_lifetime + LEEWAY
    seconds = int(latest.timestamp())

    assert tokens.verify_access(mint(tokens, exp=seconds), ISSUED).expires_at == latest
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(mint(tokens, exp=seconds + 1), ISSUED)


def test_token_of_more_than_2048_characters_is_refused(tokens: Tokens) -> None:
    by_length = {
        len(token): token
        for token in (mint(tokens, jti="x" * count) for count in range(1000, 1500))
    }

    next_length = min(length for length in by_length if length > 2048)
    assert tokens.verify_access(by_length[2048], ISSUED).session_id == UUID(int=2)
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(by_length[next_length], ISSUED)


@pytest.mark.parametrize("is_verified", [True, False])
def test_access_token_keeps_whether_the_address_was_verified(
    tokens: Tokens, is_verified: bool
) -> None:
    token = tokens.access_token(UUID(int=1), UUID(int=2), ISSUED, is_verified=is_verified)

    assert tokens.verify_access(token, ISSUED).is_verified is is_verified


def test_address_counts_as_unverified_unless_the_claim_is_true(tokens: Tokens) -> None:
    by_default = tokens.access_token(UUID(int=1), UUID(int=2), ISSUED)
    values: tuple[Any, ...] = (False, None, 1, "true", [])
    others = [mint(tokens, email_verified=value) for value in values]

    for token in (by_default, mint(tokens), *others):
        assert tokens.verify_access(token, ISSUED).is_verified is False
    assert tokens.verify_access(mint(tokens, email_verified=True), ISSUED).is_verified is True


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_claims_cookies_and_devices_are_immutable_and_have_slots(value: Any) -> None:
    (name, *_) = value.__slots__

    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
    assert not hasattr(value, "__dict__")


def test_key_id_is_eight_hexadecimal_digits(tokens: Tokens) -> None:
    """Another form would invalidate the tokens of the previous release."""
    token = tokens.access_token(UUID(int=1), UUID(int=2), ISSUED)

    assert re.fullmatch("[0-9a-f]{8}", jwt.get_unverified_header(token)["kid"])


def test_csrf_token_is_constant_and_valid_for_its_session_only(tokens: Tokens) -> None:
    token = tokens.csrf_token(UUID(int=2))

    assert re.fullmatch("[A-Za-z0-9_-]{43}", token)
    assert tokens.csrf_token(UUID(int=2)) == token
    assert tokens.is_csrf_token(UUID(int=2), token) is True
    assert tokens.is_csrf_token(UUID(int=3), token) is False
    assert tokens.is_csrf_token(UUID(int=2), f"{token}é") is False

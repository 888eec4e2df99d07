"""Where a token begins and ceases to be good, to the second and to the letter."""

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
END_OF_TIME = 2**33
VALUES: tuple[Any, ...] = (
    SessionCookies("a", "r", False),
    Device(UUID(int=1), UUID(int=2)),
    AccessClaims(UUID(int=1), UUID(int=2), ISSUED, False),
    _VerifiedToken(UUID(int=1), UUID(int=2), ISSUED, ISSUED),
)


@pytest.fixture
def tokens(config: Config) -> Tokens:
    return Tokens(config)


def mint(tokens: Tokens, **changes: object) -> str:
    """A token with a right signature and these claims."""
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


def test_a_token_is_expired_thirty_seconds_after_its_end(tokens: Tokens) -> None:
    token = tokens.access_token(UUID(int=1), UUID(int=2), ISSUED)
    end = ISSUED + tokens.access_lifetime + LEEWAY

    assert not tokens.verify_access(token, end - SECOND).is_expired
    assert tokens.verify_access(token, end).is_expired


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_of_the_future_is_good_thirty_seconds_before_its_time(
    tokens: Tokens, claim: str
) -> None:
    begins = datetime(2100, 1, 1, tzinfo=UTC)
    seconds = int(begins.timestamp())
    token = mint(tokens, **{claim: seconds}, exp=seconds + 600)

    assert tokens.verify_access(token, begins - LEEWAY).session_id == UUID(int=2)
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(token, begins - LEEWAY - SECOND)


def test_a_time_is_a_second_between_1970_and_2242(tokens: Tokens) -> None:
    assert tokens.verify_access(mint(tokens, iat=0, nbf=0), ISSUED).user_id == UUID(int=1)
    assert not tokens.verify_access(mint(tokens, exp=END_OF_TIME - 1), ISSUED).is_expired
    for changes in ({"iat": -1}, {"exp": END_OF_TIME}):
        with pytest.raises(NotAuthenticated):
            tokens.verify_access(mint(tokens, **changes), ISSUED)


def test_a_token_has_at_most_2048_letters(tokens: Tokens) -> None:
    by_length = {
        len(token): token for token in (mint(tokens, jti="x" * more) for more in range(1000, 1500))
    }

    shortest = min(length for length in by_length if length > 2048)
    assert tokens.verify_access(by_length[2048], ISSUED).session_id == UUID(int=2)
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(by_length[shortest], ISSUED)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_who_somebody_is_cannot_be_changed_later(value: Any) -> None:
    (name, *_) = value.__slots__

    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
    assert not hasattr(value, "__dict__")


def test_a_key_is_named_by_eight_digits_so_that_tokens_outlive_a_release(tokens: Tokens) -> None:
    token = tokens.access_token(UUID(int=1), UUID(int=2), ISSUED)

    assert re.fullmatch("[0-9a-f]{8}", jwt.get_unverified_header(token)["kid"])


def test_a_csrf_token_is_that_of_its_session_for_all_its_life(tokens: Tokens) -> None:
    token = tokens.csrf_token(UUID(int=2))

    assert re.fullmatch("[A-Za-z0-9_-]{43}", token)
    assert tokens.csrf_token(UUID(int=2)) == token
    assert tokens.is_csrf_token(UUID(int=2), token) is True
    assert tokens.is_csrf_token(UUID(int=3), token) is False
    assert tokens.is_csrf_token(UUID(int=2), f"{token}é") is False

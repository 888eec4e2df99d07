import base64
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.conftest import Member
from tests.support.browser import Browser

from wxc.accounts.auth.errors import NotAuthenticated
from wxc.accounts.auth.tokens import AUDIENCE, ISSUER, Tokens
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import new_id

KEY = "j" * 40


@pytest.fixture
def tokens(config: Config) -> Tokens:
    return Tokens(config)


def claims(**changes: Any) -> dict[str, Any]:
    moment = int(clock.now().timestamp())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(new_id()),
        "sid": str(new_id()),
        "jti": "1",
        "iat": moment,
        "nbf": moment,
        "exp": moment + 600,
        "typ": "access",
    }
    return {name: value for name, value in (good | changes).items() if value is not ...}


def mint(tokens: Tokens, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    good = {"alg": "HS256", "typ": "at+jwt", "kid": tokens._keys.current_id} | (headers or {})
    headed = {name: value for name, value in good.items() if value is not ...}
    signed = b".".join(_part(part) for part in (headed, claims(**changes)))
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return (signed + b"." + _encoded(signature.sign(signed, KEY.encode()))).decode()


def _part(content: object) -> bytes:
    return _encoded(json.dumps(content).encode())


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def test_access_token_identifies_user_and_session_until_it_expires(tokens: Tokens) -> None:
    user_id, session_id, moment = new_id(), new_id(), clock.now()

    token = tokens.access_token(user_id, session_id, moment)

    read = tokens.verify_access(token, moment + timedelta(minutes=10, seconds=29))
    assert (read.user_id, read.session_id, read.is_expired) == (user_id, session_id, False)
    assert tokens.verify_access(token, moment + timedelta(minutes=10, seconds=31)).is_expired


def test_token_with_all_valid_claims_is_accepted(tokens: Tokens) -> None:
    assert not tokens.verify_access(mint(tokens), clock.now()).is_expired


def each(name: str, *values: Any) -> list[dict[str, Any]]:
    """One change per value; `...` omits the name."""
    return [{name: value} for value in values]


NO_ID: tuple[Any, ...] = ("", "x", 7, True, [], {}, "1" * 99, None, ...)
NO_TIME: tuple[Any, ...] = ("x", [], {}, 4_102_444_800, None, ...)
BAD_CLAIMS = [
    *each("sub", *NO_ID),
    *each("sid", *NO_ID),
    *each("jti", ...),
    *each("exp", 1.5, "600", -1.5, 10**18, 1e300, True, [], {}, None, ...),
    *each("iat", *NO_TIME),
    *each("nbf", *NO_TIME),
    *each("aud", "other", ["other"], [], {}, 7, None, ...),
    *each("iss", "other", [ISSUER], {}, 7, None, ...),
    *each("typ", "refresh", "ACCESS", "", 7, ["access"], None, ...),
]
BAD_HEADERS = [
    *each("alg", "none", "None", "HS384", "HS512", "RS256", "", None, 7, ...),
    *each("typ", "JWT", "", None, 7, ...),
    *each("kid", "other", "../../dev/null", "' OR 1=1", "", None, 7, [], ...),
    {"jku": "https://evil.example/keys"},
    {"x5u": "https://evil.example/cert"},
    {"jwk": {"kty": "oct", "k": "AA"}},
    {"crit": ["exp"]},
    {"crit": ["b64"], "b64": False},
    {"zip": "DEF"},
    {"cty": "JWT"},
]


@pytest.mark.parametrize("changes", BAD_CLAIMS, ids=repr)
def test_signed_token_with_a_wrong_claim_is_refused(
    tokens: Tokens, changes: dict[str, Any]
) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(mint(tokens, **changes), clock.now())


async def test_a_token_that_lives_longer_than_ours_is_refused(
    tokens: Tokens, app: FastAPI, member: Member
) -> None:
    ada = await member("ada")
    session_id = tokens.verify_access(ada.http.cookies["wxc_access"], clock.now()).session_id
    ids: dict[str, Any] = {"sub": str(ada.id), "sid": str(session_id)}

    async def status(lifetime: int) -> int:
        token = mint(tokens, exp=int(clock.now().timestamp()) + lifetime, **ids)
        async with Browser(app) as browser:
            browser.http.cookies.set("wxc_access", token)
            return (await browser.get("/auth-check")).status_code

    assert [await status(seconds) for seconds in (600, 625, 700, 3600, 10**8)] == [
        200,
        200,
        401,
        401,
        401,
    ]


@pytest.mark.parametrize("headers", BAD_HEADERS, ids=repr)
def test_signed_token_with_a_wrong_header_is_refused(
    tokens: Tokens, headers: dict[str, Any]
) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(mint(tokens, headers), clock.now())


def broken(token: str) -> Iterator[str]:
    head, body, signature = token.split(".")
    yield from ("", ".", "..", "...", "a.b", "a.b.c", "é.é.é", "null", "{}", "\0", " " + token)
    yield from (f"{head}.{body}", f"{head}.{body}.", f"{head}..{signature}", f".{body}.{signature}")
    yield from (f"{token}.", f"{token}.{signature}", token[:-1], token[1:], f"Bearer {token}")
    yield from (token.replace(".", ". "), token + "\n", token * 8, "a" * 5000, "." * 5000)
    deep = _encoded(b"[" * 1400).decode()
    yield from (f"{deep}.{body}.{signature}", f"{head}.{deep}.{signature}")
    for position in range(0, len(token), 4):
        letter = "A" if token[position] != "A" else "B"
        yield token[:position] + letter + token[position + 1 :]


def test_damaged_token_is_refused(tokens: Tokens) -> None:
    for token in broken(mint(tokens)):
        with pytest.raises(NotAuthenticated):
            tokens.verify_access(token, clock.now())


def test_token_with_a_duplicate_claim_is_refused(tokens: Tokens) -> None:
    head = _part({"alg": "HS256", "typ": "at+jwt", "kid": tokens._keys.current_id})
    body = json.dumps(claims())[:-1] + f', "sub": "{uuid4()}"}}'
    signed = head + b"." + _encoded(body.encode())
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    token = signed + b"." + _encoded(algorithm.sign(signed, b"not our key"))

    with pytest.raises(NotAuthenticated):
        tokens.verify_access(token.decode(), clock.now())


def test_access_and_refresh_tokens_are_not_interchangeable(tokens: Tokens) -> None:
    session_id = new_id()

    with pytest.raises(NotAuthenticated):
        tokens.verify_refresh(tokens.access_token(new_id(), session_id, clock.now()))
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(tokens.refresh_token(session_id, 0), clock.now())


@given(st.uuids(), st.integers(0, 2**32 - 1))
def test_refresh_token_is_determined_by_session_and_generation(
    session_id: UUID, generation: int
) -> None:
    tokens = Tokens(
        Config(
            environment="development",
            database_url="postgresql://nowhere",
            redis_url="redis://nowhere",
            secret_key="s" * 40,
            jwt_secret_key="j" * 40,
        )
    )

    token = tokens.refresh_token(session_id, generation)

    assert token == tokens.refresh_token(session_id, generation)
    assert tokens.verify_refresh(token) == (session_id, generation)


@given(st.text())
def test_arbitrary_text_is_no_refresh_token(text: str) -> None:
    tokens = Tokens.__new__(Tokens)
    tokens._refresh_key = b"k" * 32

    with pytest.raises(NotAuthenticated):
        tokens._decode_refresh(text)


def ring(config: Config, current: str, **others: str) -> Tokens:
    keys = {"jwt_secret_key": current, **{f"jwt_secret_key_{k}": v for k, v in others.items()}}
    return Tokens(config.model_copy(update={k: SecretStr(v * 40) for k, v in keys.items()}))


def test_key_rotation_refuses_no_token(config: Config) -> None:
    """During a rotation, instances may have the keys of two successive steps."""
    steps = [
        ring(config, "a"),
        ring(config, "a", next="b"),
        ring(config, "b", previous="a"),
        ring(config, "b"),
    ]

    for before, after in itertools.pairwise(steps):
        for signer, reader in itertools.product((before, after), repeat=2):
            token = signer.access_token(new_id(), new_id(), clock.now())
            assert not reader.verify_access(token, clock.now()).is_expired


def test_tokens_of_a_removed_key_are_refused(config: Config) -> None:
    token = ring(config, "a").access_token(new_id(), new_id(), clock.now())

    with pytest.raises(NotAuthenticated):
        ring(config, "b").verify_access(token, clock.now())


def test_tokens_of_another_secret_are_refused(config: Config, tokens: Tokens) -> None:
    others = Tokens(config.model_copy(update={"jwt_secret_key": config.secret_key}))

    with pytest.raises(NotAuthenticated):
        tokens.verify_access(
            others.access_token(new_id(), new_id(), datetime.now(UTC)), clock.now()
        )


def test_signature_is_verified_once_and_times_at_each_use(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, verified = jwt.decode, list[str]()

    def count(token: str, *rest: Any, **options: Any) -> Any:
        verified.append(token)
        return decode(token, *rest, **options)

    monkeypatch.setattr(jwt, "decode", count)
    now, token = clock.now(), mint(tokens)
    first, again = tokens.verify_access(token, now), tokens.verify_access(token, now)
    late = tokens.verify_access(token, now + timedelta(seconds=631))

    assert first == again
    assert (again.is_expired, late.is_expired) == (False, True)
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(token, now - timedelta(seconds=32))
    assert verified == [token]


def test_refused_token_is_not_cached(tokens: Tokens) -> None:
    token = mint(tokens)
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")

    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            tokens.verify_access(forged, clock.now())
    assert tokens._verified_access.cache_info().currsize == 0
    tokens.verify_access(token, clock.now())
    with pytest.raises(NotAuthenticated):
        tokens.verify_access(forged, clock.now())

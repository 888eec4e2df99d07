"""The tokens of a session: access (a JWT), refresh and CSRF (HMACs over the session's id)."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import jwt
from pydantic import SecretStr

from wxc.accounts.auth.errors import NotAuthenticated
from wxc.core.config import Config
from wxc.core.signing import derive_key, is_signed, sign

ISSUER = AUDIENCE = "wxc-social"
LEEWAY = timedelta(seconds=30)
MAX_TOKEN_LENGTH = 2048
_CACHE_SIZE = 10_000  # tokens, about 10 MB
_ALGORITHM = "HS256"
_TYPE = "at+jwt"  # RFC 9068 section 2.1
_MAX_TIMESTAMP = 1 << 33  # seconds since 1970: the year 2242
_REQUIRED_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "typ"]


@dataclass(frozen=True, slots=True)
class _VerifiedToken:
    """The claims of a token with a valid signature; the times are not checked."""

    user_id: UUID
    session_id: UUID
    is_verified: bool
    valid_from: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The claims of a valid access token, which may have expired."""

    user_id: UUID
    session_id: UUID
    is_verified: bool
    """Whether the e-mail address was verified when the token was issued."""
    expires_at: datetime
    is_expired: bool


class KeyRing:
    """The keys of access tokens: the current one signs; the next and the previous are accepted.

    To rotate keys without a 401, set the new key as `JWT_SECRET_KEY_NEXT` on every instance. Then
    make it the current key and the old one `JWT_SECRET_KEY_PREVIOUS`. Remove the old key once its
    last token has expired: removing a key invalidates all tokens signed with it.
    """

    def __init__(self, config: Config) -> None:
        self.current = config.jwt_secret_key.get_secret_value().encode()
        self.current_id = _key_id(config.jwt_secret_key)
        ring = (config.jwt_secret_key, config.jwt_secret_key_next, config.jwt_secret_key_previous)
        self._keys = {
            _key_id(secret): secret.get_secret_value().encode() for secret in ring if secret
        }

    def key_for(self, header: dict[str, Any]) -> bytes:
        """The key named by a token's header; raises `NotAuthenticated` for an unexpected header."""
        key_id = header.get("kid")
        expected = {"alg": _ALGORITHM, "typ": _TYPE, "kid": key_id}
        if header != expected or key_id not in self._keys:  # also refuses jku, jwk, x5u, crit
            raise NotAuthenticated
        return self._keys[key_id]


def _key_id(secret: SecretStr) -> str:
    """Derived from the key, without revealing it."""
    return derive_key(secret.get_secret_value(), "key id").hex()[:8]


class Tokens:
    """Creates and verifies tokens; does not check whether the session is live."""

    def __init__(self, config: Config) -> None:
        secret = config.secret_key.get_secret_value()
        self._refresh_key = derive_key(secret, "refresh token")
        self._csrf_key = derive_key(secret, "csrf token")
        self._keys = KeyRing(config)
        self.access_lifetime = timedelta(seconds=config.access_token_lifetime)
        # Cached: a browser sends the same token with every request for ten minutes.
        self._verified_access = lru_cache(_CACHE_SIZE)(self._decode_access)
        self._csrf_of = lru_cache(_CACHE_SIZE)(
            lambda session_id: _encode(sign(self._csrf_key, session_id.bytes))
        )
        self._verified_refresh = lru_cache(_CACHE_SIZE)(self._decode_refresh)

    def access_token(
        self, user_id: UUID, session_id: UUID, moment: datetime, *, is_verified: bool = False
    ) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": uuid4().hex,
            "iat": moment,
            "nbf": moment,
            "exp": moment + self.access_lifetime,
            "typ": "access",
            "email_verified": is_verified,  # as in OpenID Connect Core 1.0, section 5.1
        }
        return jwt.encode(
            claims,
            self._keys.current,
            _ALGORITHM,
            headers={"kid": self._keys.current_id, "typ": _TYPE},
        )

    def verify_access(self, token: str, moment: datetime) -> AccessClaims:
        """The claims of a valid token, expired or not; raises `NotAuthenticated` otherwise.

        Also refuses a token that expires later than one issued now would.
        """
        verified = self._verified_access(token)
        latest_start = moment + LEEWAY
        if (
            verified.valid_from > latest_start
            or verified.expires_at > latest_start + self.access_lifetime
        ):
            raise NotAuthenticated
        return AccessClaims(
            verified.user_id,
            verified.session_id,
            verified.is_verified,
            verified.expires_at,
            verified.expires_at + LEEWAY <= moment,
        )

    def _decode_access(self, token: str) -> _VerifiedToken:
        """Costs an HMAC and the parsing of two JSON documents."""
        try:
            if len(token) > MAX_TOKEN_LENGTH:
                raise NotAuthenticated
            claims = jwt.decode(
                token,
                self._keys.key_for(jwt.get_unverified_header(token)),
                [_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # `verify_access` checks the times at each use: the claims are cached.
                options={
                    "require": _REQUIRED_CLAIMS,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return _verified(claims)
        # Malformed JSON and numbers raise more than PyJWT's own errors.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise NotAuthenticated from error

    def refresh_token(self, session_id: UUID, generation: int) -> str:
        """Derived from session and generation, so it is not stored."""
        payload = session_id.bytes + generation.to_bytes(4)
        return _encode(payload + sign(self._refresh_key, payload))

    def verify_refresh(self, token: str) -> tuple[UUID, int]:
        """The session id and generation; raises `NotAuthenticated` for an invalid token."""
        return self._verified_refresh(token)

    def _decode_refresh(self, token: str) -> tuple[UUID, int]:
        try:
            raw = urlsafe_b64decode(token[:MAX_TOKEN_LENGTH] + "=" * (-len(token) % 4))
        except ValueError as error:
            raise NotAuthenticated from error
        payload, signature = raw[:20], raw[20:]
        if len(signature) != 32 or not is_signed(self._refresh_key, payload, signature):
            raise NotAuthenticated
        return UUID(bytes=payload[:16]), int.from_bytes(payload[16:])

    def csrf_token(self, session_id: UUID) -> str:
        """The same token for the whole life of the session."""
        return self._csrf_of(session_id)

    def is_csrf_token(self, session_id: UUID, token: str) -> bool:
        """Compares in constant time."""
        return hmac.compare_digest(self.csrf_token(session_id).encode(), token.encode())


def _verified(claims: dict[str, Any]) -> _VerifiedToken:
    session_id = claims["sid"]
    if claims["typ"] != "access" or not isinstance(session_id, str):
        raise NotAuthenticated
    valid_from = max(_time(claims["iat"]), _time(claims["nbf"]))
    is_verified = claims.get("email_verified") is True
    return _VerifiedToken(
        UUID(claims["sub"]), UUID(session_id), is_verified, valid_from, _time(claims["exp"])
    )


def _time(seconds: object) -> datetime:
    if type(seconds) is not int or not 0 <= seconds < _MAX_TIMESTAMP:
        raise NotAuthenticated
    return datetime.fromtimestamp(seconds, UTC)


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")

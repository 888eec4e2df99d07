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
LONGEST_TOKEN = 2048
_REMEMBERED = 10_000  # tokens, some 10 MB
_ALGORITHM = "HS256"
_TYPE = "at+jwt"  # RFC 9068 section 2.1
_LATEST = 1 << 33  # seconds since 1970: the year 2242
_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "typ"]


@dataclass(frozen=True, slots=True)
class _Genuine:
    """What a token says that one of our keys has signed, whatever time it is."""

    user_id: UUID
    session_id: UUID
    begins_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a genuine access token says."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime
    is_expired: bool


class KeyRing:
    """The keys of access tokens: the current one signs, its neighbours are still or already good.

    To rotate without a single 401: set the new key as `JWT_SECRET_KEY_NEXT` on every instance;
    then make it current and the old one `JWT_SECRET_KEY_PREVIOUS`; drop that one when the last
    token it has signed has expired. Dropping a key at once ends every token it has signed.
    """

    def __init__(self, config: Config) -> None:
        self.current = config.jwt_secret_key.get_secret_value().encode()
        self.current_id = _key_id(config.jwt_secret_key)
        ring = (config.jwt_secret_key, config.jwt_secret_key_next, config.jwt_secret_key_previous)
        self._keys = {
            _key_id(secret): secret.get_secret_value().encode() for secret in ring if secret
        }

    def key_for(self, header: dict[str, Any]) -> bytes:
        """The key that a token's header names; raises `NotAuthenticated` for any other header."""
        key_id = header.get("kid")
        expected = {"alg": _ALGORITHM, "typ": _TYPE, "kid": key_id}
        if header != expected or key_id not in self._keys:  # no jku, jwk, x5u or crit either
            raise NotAuthenticated
        return self._keys[key_id]


def _key_id(secret: SecretStr) -> str:
    """A name for a key that tells nothing of it, so that operators need not invent one."""
    return derive_key(secret.get_secret_value(), "key id").hex()[:8]


class Tokens:
    """Makes and reads tokens; nothing here asks whether the session is still alive."""

    def __init__(self, config: Config) -> None:
        secret = config.secret_key.get_secret_value()
        self._refresh_key = derive_key(secret, "refresh token")
        self._csrf_key = derive_key(secret, "csrf token")
        self._keys = KeyRing(config)
        self.access_lifetime = timedelta(seconds=config.access_token_lifetime)
        # A token is shown with every request for ten minutes, and stays what it is.
        self._known = lru_cache(_REMEMBERED)(self._verify)
        self._csrf_of = lru_cache(_REMEMBERED)(
            lambda session_id: _text(sign(self._csrf_key, session_id.bytes))
        )
        self._known_refresh = lru_cache(_REMEMBERED)(self._verify_refresh)

    def access(self, user_id: UUID, session_id: UUID, moment: datetime) -> str:
        """An access token that holds from `moment` for ten minutes unless configured otherwise."""
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
        }
        return jwt.encode(
            claims,
            self._keys.current,
            _ALGORITHM,
            headers={"kid": self._keys.current_id, "typ": _TYPE},
        )

    def read_access(self, token: str, moment: datetime) -> AccessClaims:
        """The claims of a token that is ours, expired or not; else raises `NotAuthenticated`."""
        genuine = self._known(token)
        if genuine.begins_at > moment + LEEWAY:
            raise NotAuthenticated
        return AccessClaims(
            genuine.user_id,
            genuine.session_id,
            genuine.expires_at,
            genuine.expires_at + LEEWAY <= moment,
        )

    def _verify(self, token: str) -> _Genuine:
        """The token's claims, at the price of an HMAC and of two JSON texts."""
        try:
            if len(token) > LONGEST_TOKEN:
                raise NotAuthenticated
            claims = jwt.decode(
                token,
                self._keys.key_for(jwt.get_unverified_header(token)),
                [_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # Times are checked at each use, by our clock and not by another.
                options={
                    "require": _CLAIMS,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return _genuine(claims)
        # Broken JSON and numbers raise more than PyJWT's own errors.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise NotAuthenticated from error

    def refresh(self, session_id: UUID, generation: int) -> str:
        """The refresh token of a session's generation: always the same, stored nowhere."""
        payload = session_id.bytes + generation.to_bytes(4)
        return _text(payload + sign(self._refresh_key, payload))

    def read_refresh(self, token: str) -> tuple[UUID, int]:
        """Session and generation of a token that is ours; else raises `NotAuthenticated`."""
        return self._known_refresh(token)

    def _verify_refresh(self, token: str) -> tuple[UUID, int]:
        try:
            raw = urlsafe_b64decode(token[:LONGEST_TOKEN] + "=" * (-len(token) % 4))
        except ValueError as error:
            raise NotAuthenticated from error
        payload, signature = raw[:20], raw[20:]
        if len(signature) != 32 or not is_signed(self._refresh_key, payload, signature):
            raise NotAuthenticated
        return UUID(bytes=payload[:16]), int.from_bytes(payload[16:])

    def csrf(self, session_id: UUID) -> str:
        """The session's CSRF token, the same for its whole life."""
        return self._csrf_of(session_id)

    def is_csrf(self, session_id: UUID, token: str) -> bool:
        """Whether `token` is the session's, compared in constant time."""
        return hmac.compare_digest(self.csrf(session_id).encode(), token.encode())


def _genuine(claims: dict[str, Any]) -> _Genuine:
    session_id = claims["sid"]
    if claims["typ"] != "access" or not isinstance(session_id, str):
        raise NotAuthenticated
    begins_at = max(_time(claims["iat"]), _time(claims["nbf"]))
    return _Genuine(UUID(claims["sub"]), UUID(session_id), begins_at, _time(claims["exp"]))


def _time(seconds: object) -> datetime:
    if type(seconds) is not int or not 0 <= seconds < _LATEST:
        raise NotAuthenticated
    return datetime.fromtimestamp(seconds, UTC)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")

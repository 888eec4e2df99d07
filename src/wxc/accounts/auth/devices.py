"""A signed cookie marks a browser in which an account has logged in before.

It grants no access, but failed logins with it have a separate limit (OWASP, "Slow Down Online
Guessing Attacks with Device Cookies").
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from wxc.core.config import Config
from wxc.core.signing import derive_key, sign

# Bytes: user id, device id, time of issue in seconds, password generation.
_LENGTH = 16 + 16 + 8 + 4
_FORMER_LENGTH = 16 + 16 + 8  # issued by the previous release, for generation 0
_SIGNATURE_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Device:
    id: UUID
    user_id: UUID
    password_generation: int

    def is_trusted_by(self, user_id: UUID, password_generation: int) -> bool:
        """Whether this account has logged in here with its current password."""
        return (self.user_id, self.password_generation) == (user_id, password_generation)


class Devices:
    """Creates and verifies device cookies; the server stores nothing."""

    def __init__(self, config: Config) -> None:
        self._key = derive_key(config.secret_key.get_secret_value(), "device cookie")
        self._lifetime = timedelta(seconds=config.device_lifetime)

    def cookie(
        self, user_id: UUID, password_generation: int, known: Device | None, moment: datetime
    ) -> str:
        """The cookie to set at login; a device that the account trusts keeps its id."""
        device_id = uuid4() if known is None else known.id
        issued_at = int(moment.timestamp()).to_bytes(8)
        payload = user_id.bytes + device_id.bytes + issued_at + password_generation.to_bytes(4)
        return urlsafe_b64encode(payload + sign(self._key, payload)).decode().rstrip("=")

    def read(self, cookie: str, moment: datetime) -> Device | None:
        """None if the cookie is malformed, forged or expired."""
        try:
            raw = urlsafe_b64decode(cookie[:200] + "=" * (-len(cookie) % 4))
        except ValueError:
            return None
        payload, signature = raw[:-_SIGNATURE_LENGTH], raw[-_SIGNATURE_LENGTH:]
        if len(payload) not in (_LENGTH, _FORMER_LENGTH):
            return None
        if not hmac.compare_digest(sign(self._key, payload), signature):
            return None
        issued_at = datetime.fromtimestamp(int.from_bytes(payload[32:40]), UTC)
        if moment - issued_at > self._lifetime:
            return None
        generation = int.from_bytes(payload[40:])
        return Device(UUID(bytes=payload[16:32]), UUID(bytes=payload[:16]), generation)

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

_LENGTH = 16 + 16 + 8  # bytes: user id, device id, time of issue in seconds


@dataclass(frozen=True, slots=True)
class Device:
    id: UUID
    user_id: UUID


class Devices:
    """Creates and verifies device cookies; the server stores nothing."""

    def __init__(self, config: Config) -> None:
        self._key = derive_key(config.secret_key.get_secret_value(), "device cookie")
        self._lifetime = timedelta(seconds=config.device_lifetime)

    def cookie(self, user_id: UUID, current: Device | None, moment: datetime) -> str:
        """The cookie to set at login; a known device of the account keeps its id."""
        is_same = current is not None and current.user_id == user_id
        device_id = current.id if current is not None and is_same else uuid4()
        payload = user_id.bytes + device_id.bytes + int(moment.timestamp()).to_bytes(8)
        return urlsafe_b64encode(payload + sign(self._key, payload)).decode().rstrip("=")

    def read(self, cookie: str, moment: datetime) -> Device | None:
        """None if the cookie is malformed, forged or expired."""
        try:
            raw = urlsafe_b64decode(cookie[:200] + "=" * (-len(cookie) % 4))
        except ValueError:
            return None
        payload, signature = raw[:_LENGTH], raw[_LENGTH:]
        if not hmac.compare_digest(sign(self._key, payload), signature):
            return None
        issued_at = datetime.fromtimestamp(int.from_bytes(payload[32:]), UTC)
        if moment - issued_at > self._lifetime:
            return None
        return Device(UUID(bytes=payload[16:32]), UUID(bytes=payload[:16]))

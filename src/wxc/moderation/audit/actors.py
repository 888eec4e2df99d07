"""The actors in the audit trail, and the hashes that identify them."""

import getpass
from dataclasses import dataclass
from typing import Self

from wxc.core.config import Config
from wxc.core.signing import derive_key, sign
from wxc.core.text import fold_identifier


@dataclass(frozen=True, slots=True)
class Actor:
    """The origin of an action: a request, or an operator's terminal."""

    name: str
    address_hash: bytes | None = None
    request_id: str | None = None

    @classmethod
    def operator(cls) -> Self:
        """The operator who runs `wxc`, by the name of the system account."""
        try:
            return cls(f"operator {getpass.getuser()}"[:64])
        except (KeyError, OSError):  # an account without a name
            return cls("operator")


class IdentifierHasher:
    """Keyed hashes: equal for equal values, and not reversible without our secret."""

    def __init__(self, config: Config) -> None:
        secret = config.secret_key.get_secret_value()
        self._address_key = derive_key(secret, "audit address")
        self._identifier_key = derive_key(secret, "audit identifier")

    def hash_address(self, address: str) -> bytes:
        """The hash of a client's IP address."""
        return sign(self._address_key, address.encode())

    def hash_identifier(self, identifier: str) -> str:
        """The hash of the username or e-mail address of a failed login."""
        return sign(self._identifier_key, fold_identifier(identifier).encode(), 16).hex()

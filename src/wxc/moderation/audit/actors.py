import getpass
from dataclasses import dataclass
from typing import Self

from wxc.core.config import Config
from wxc.core.signing import derive_key, sign
from wxc.core.text import fold_identifier


@dataclass(frozen=True, slots=True)
class Actor:
    """The origin of an action: an HTTP request or an operator's command."""

    name: str
    address_hash: bytes | None = None
    request_id: str | None = None

    @classmethod
    def operator(cls) -> Self:
        """The operator running `wxc`, named after the system account."""
        try:
            return cls(f"operator {getpass.getuser()}"[:64])
        except (KeyError, OSError):  # the user id has no system account
            return cls("operator")


class IdentifierHasher:
    """Keyed hashes of equal values are equal; without the secret they are not reversible."""

    def __init__(self, config: Config) -> None:
        secret = config.secret_key.get_secret_value()
        self._address_key = derive_key(secret, "audit address")
        self._identifier_key = derive_key(secret, "audit identifier")

    def hash_address(self, address: str) -> bytes:
        """Hash the IP address of a client; 32 bytes."""
        return sign(self._address_key, address.encode())

    def hash_identifier(self, identifier: str) -> str:
        """Hash the username or e-mail address of a failed login; 32 hex digits."""
        return sign(self._identifier_key, fold_identifier(identifier).encode(), 16).hex()

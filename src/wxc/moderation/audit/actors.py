"""Who acts, as far as the trail tells."""

import getpass
from dataclasses import dataclass
from typing import Self

from wxc.core.config import Config
from wxc.core.signing import derive_key, sign
from wxc.core.text import fold_identifier


@dataclass(frozen=True, slots=True)
class Actor:
    """Where an act comes from: a request, or an operator's terminal."""

    name: str
    address_hash: bytes | None = None
    request_id: str | None = None

    @classmethod
    def operator(cls) -> Self:
        """Whoever types `wxc`, with the system account that they (or their container) have."""
        try:
            return cls(f"operator {getpass.getuser()}"[:64])
        except (KeyError, OSError):  # an account without a name
            return cls("operator")


class Fingerprints:
    """Keyed hashes: the same for the same, and nothing to be learned without our secret."""

    def __init__(self, config: Config) -> None:
        secret = config.secret_key.get_secret_value()
        self._address_key = derive_key(secret, "audit address")
        self._identifier_key = derive_key(secret, "audit identifier")

    def address(self, address: str) -> bytes:
        """What is kept of a client's address."""
        return sign(self._address_key, address.encode())

    def identifier(self, identifier: str) -> str:
        """What is kept of a name or an e-mail address that somebody tried to log in with."""
        return sign(self._identifier_key, fold_identifier(identifier).encode(), 16).hex()

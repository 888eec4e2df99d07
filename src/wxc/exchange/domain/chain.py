"""The hash chain of a board's rate events, which makes later changes of an event detectable.

The hash of an event is SHA-256 over these lines, in UTF-8, each terminated by a line feed:
`wxc rate 1`, the previous hash in hexadecimal (64 zeros for the first event), the board's id,
`seq`, `at` as in the API, `currency`, `base_currency`, `unit`, and `we_buy`, `we_sell`,
`min_amount`, `max_amount` with their digits as entered; null is an empty line.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from wxc.core.decimals import decimal_text
from wxc.core.times import rfc3339

GENESIS_HASH = bytes(32)
"""The previous hash of a board's first event."""
_FORMAT = "wxc rate 1"
_POSITION = re.compile(r"([0-9]{1,9}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """A change of one rate line; `we_buy` and `we_sell` are None if the line was removed."""

    exchange_id: UUID
    seq: int
    at: datetime
    currency: str
    base_currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None
    max_amount: Decimal | None


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """The `seq` and hash of an event, formatted as in `wxc verify-rates --head`."""

    seq: int
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None if the text is not a position as formatted by `str()`."""
        match = _POSITION.fullmatch(text)
        return cls(int(match[1]), bytes.fromhex(match[2])) if match else None

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


CHAIN_START = ChainPosition(0, GENESIS_HASH)
"""The position of a board without events."""


def event_hash(previous: bytes, event: ChainEvent) -> bytes:
    """`previous` is the hash of the preceding event."""
    numbers = (event.we_buy, event.we_sell, event.min_amount, event.max_amount)
    lines = (
        _FORMAT,
        previous.hex(),
        str(event.exchange_id),
        str(event.seq),
        rfc3339(event.at),
        event.currency,
        event.base_currency,
        str(event.unit),
        *("" if number is None else decimal_text(number) for number in numbers),
    )
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).digest()

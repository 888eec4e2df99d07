"""The chain of hashes that a board's rate events form, so that a change of one is found.

The hash of an event is SHA-256 over these lines, in UTF-8, each ended by a line feed: `wxc rate 1`,
the hash before it in hexadecimal (64 zeros before the first), the board's id, `seq`, `at` as in the
API, `currency`, `base_currency`, `unit`, and `we_buy`, `we_sell`, `min_amount`, `max_amount` with
their digits as entered, a null being an empty line.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from wxc.core.decimals import decimal_text
from wxc.core.times import rfc3339

GENESIS = bytes(32)
_FORM = "wxc rate 1"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a board that has changed; without both sides it was taken off."""

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


def link(previous: bytes, event: Event) -> bytes:
    """The hash of `event`, which follows the one whose hash is `previous`."""
    numbers = (event.we_buy, event.we_sell, event.min_amount, event.max_amount)
    lines = (
        _FORM,
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

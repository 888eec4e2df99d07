"""The hash chain of rates, which clients can recompute from the events in the API."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from wxc.exchange.domain.chain import (
    CHAIN_START,
    GENESIS_HASH,
    ChainEvent,
    ChainPosition,
    event_hash,
)

EVENT = ChainEvent(
    UUID(int=7),
    12,
    datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC),
    "JPY",
    "SGD",
    100,
    Decimal("0.8000"),
    Decimal("0.9999"),
    None,
    Decimal("5000"),
)
DOCUMENTED = """\
wxc rate 1
{previous}
00000000-0000-0000-0000-000000000007
12
2026-03-01T09:30:00.123456Z
JPY
SGD
100
0.8000
0.9999

5000
"""


def test_event_hash_is_the_sha256_of_the_documented_lines() -> None:
    previous = bytes(range(32))
    lines = DOCUMENTED.format(previous=previous.hex())

    assert event_hash(previous, EVENT) == hashlib.sha256(lines.encode()).digest()


def test_previous_hash_of_the_first_event_is_64_zeros() -> None:
    assert GENESIS_HASH.hex() == "0" * 64
    assert str(CHAIN_START) == f"0:{'0' * 64}"


def test_removed_rate_and_rate_of_zero_have_different_hashes() -> None:
    removed = replace(EVENT, we_buy=None)
    zero = replace(EVENT, we_buy=Decimal(0))

    assert event_hash(GENESIS_HASH, removed) != event_hash(GENESIS_HASH, zero)


def test_parsing_a_written_position_returns_it() -> None:
    position = ChainPosition(123_456_789, bytes(range(32)))

    assert ChainPosition.parse(str(position)) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        f":{'a' * 64}",
        f"1:{'a' * 63}",
        f"1:{'a' * 65}",
        f"1:{'A' * 64}",
        f"-1:{'a' * 64}",
        f"1234567890:{'a' * 64}",
        f"\u0661:{'a' * 64}",
        f" 1:{'a' * 64}",
        f"1:{'a' * 64}\n",
    ],
)
def test_any_other_text_is_not_a_position(text: str) -> None:
    assert ChainPosition.parse(text) is None

"""Requests share the values of the domain, and keep thousands of them in memory."""

from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from wxc.exchange.domain.chain import CHAIN_START, ChainEvent
from wxc.exchange.domain.history import Group, HistoryRange
from wxc.exchange.domain.hours import OpeningPeriod
from wxc.exchange.domain.quotes import ConversionRequest
from wxc.exchange.domain.search import SearchArea, SearchRequest, Sort

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
VALUES: Sequence[Any] = (
    CHAIN_START,
    ChainEvent(UUID(int=1), 1, MOMENT, "JPY", "SGD", 1, Decimal(1), None, None, None),
    HistoryRange("JPY", MOMENT, None, Group.EVENT),
    OpeningPeriod(1, time(9), time(18)),
    ConversionRequest("SGD", "JPY"),
    SearchArea(1.28, 103.85, 5000),
    SearchRequest(None, None, Sort.DISTANCE, False, False, 0),
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_domain_values_are_immutable_and_have_slots(value: Any) -> None:
    (name, *_) = value.__slots__

    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
    assert not hasattr(value, "__dict__")

"""The rank of a board in a search, which cursors contain."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxc.exchange.domain.search import (
    DEFAULT_RADIUS_METRES,
    MAX_RADIUS_METRES,
    SearchRequest,
    Sort,
)

BY_AMOUNT = SearchRequest(None, None, Sort.RECEIVE, False, False, 2)
BY_DISTANCE = SearchRequest(None, None, Sort.DISTANCE, False, False, 0)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NEW_YEAR_MICROSECONDS = 1_767_225_600_000_000
moments = st.integers(0, 2**52).map(
    lambda number: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number)
)
amounts = st.integers(-(2**62), -1).map(Decimal)  # negated; a search finds no amount of 0
distances = st.floats(min_value=0, max_value=MAX_RADIUS_METRES)


def test_search_radius_is_five_kilometres_by_default_and_at_most_fifty() -> None:
    assert (DEFAULT_RADIUS_METRES, MAX_RADIUS_METRES) == (5_000, 50_000)


def test_packed_rank_is_a_time_and_a_key_of_eight_bytes_each() -> None:
    """Another form would invalidate the cursors of the previous release."""
    by_amount = BY_AMOUNT.pack_rank(NEW_YEAR, Decimal(-12345))
    by_distance = BY_DISTANCE.pack_rank(NEW_YEAR + timedelta(microseconds=3), 812.5)

    assert by_amount == pack(">qq", NEW_YEAR_MICROSECONDS, -12345)
    assert by_distance == pack(">qd", NEW_YEAR_MICROSECONDS + 3, 812.5)


@given(moments, amounts)
def test_unpacked_rank_has_the_exact_amount(moment: datetime, amount: Decimal) -> None:
    read = BY_AMOUNT.unpack_rank(BY_AMOUNT.pack_rank(moment, amount))

    assert read == (moment, amount)
    assert isinstance(read[1], Decimal)


@given(moments, distances)
def test_unpacked_rank_has_the_exact_distance(moment: datetime, distance: float) -> None:
    read = BY_DISTANCE.unpack_rank(BY_DISTANCE.pack_rank(moment, distance))

    assert read == (moment, distance)
    assert isinstance(read[1], float)


@pytest.mark.parametrize("request_", [BY_AMOUNT, BY_DISTANCE])
@given(st.data())
def test_packed_ranks_of_the_same_time_sort_by_amount_or_distance(
    request_: SearchRequest, data: st.DataObject
) -> None:
    is_by_amount = request_.sort is Sort.RECEIVE
    keys: st.SearchStrategy[Any] = amounts if is_by_amount else distances
    one, other = data.draw(keys), data.draw(keys)
    packed = [request_.pack_rank(NEW_YEAR, key) for key in (one, other)]

    assert (packed[0] < packed[1]) is (one < other)

"""The rank of a board in a search: the position that a cursor keeps."""

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
amounts = st.integers(-(2**62), 0).map(Decimal)
distances = st.floats(min_value=0, max_value=MAX_RADIUS_METRES)


def test_a_search_is_within_five_kilometres_unless_told_and_within_fifty_at_most() -> None:
    assert (DEFAULT_RADIUS_METRES, MAX_RADIUS_METRES) == (5_000, 50_000)


def test_a_rank_keeps_its_form_so_that_cursors_outlive_a_release() -> None:
    by_amount = BY_AMOUNT.pack_rank(NEW_YEAR, Decimal(-12345))
    by_distance = BY_DISTANCE.pack_rank(NEW_YEAR + timedelta(microseconds=3), 812.5)

    assert by_amount == pack(">qq", NEW_YEAR_MICROSECONDS, -12345)
    assert by_distance == pack(">qd", NEW_YEAR_MICROSECONDS + 3, 812.5)


@given(moments, amounts)
def test_an_amount_is_read_from_its_rank_as_it_was_written(
    moment: datetime, amount: Decimal
) -> None:
    read = BY_AMOUNT.unpack_rank(BY_AMOUNT.pack_rank(moment, amount))

    assert read == (moment, amount)
    assert isinstance(read[1], Decimal)


@given(moments, distances)
def test_a_distance_is_read_from_its_rank_to_the_last_digit(
    moment: datetime, distance: float
) -> None:
    read = BY_DISTANCE.unpack_rank(BY_DISTANCE.pack_rank(moment, distance))

    assert read == (moment, distance)
    assert isinstance(read[1], float)


@pytest.mark.parametrize("request_", [BY_AMOUNT, BY_DISTANCE])
@given(st.data())
def test_ranks_of_one_moment_are_in_the_order_of_their_keys(
    request_: SearchRequest, data: st.DataObject
) -> None:
    is_by_amount = request_.sort is Sort.RECEIVE
    keys: st.SearchStrategy[Any] = amounts if is_by_amount else distances
    one, other = data.draw(keys), data.draw(keys)
    packed = [request_.pack_rank(NEW_YEAR, key) for key in (one, other)]

    assert (packed[0] < packed[1]) is (one < other)

"""The range of a history of rates."""

from datetime import timedelta

from wxc.exchange.domain.history import DEFAULT_RANGE, MAX_RANGE


def test_history_range_is_thirty_days_by_default_and_at_most_366() -> None:
    assert timedelta(days=30) == DEFAULT_RANGE
    assert timedelta(days=366) == MAX_RANGE

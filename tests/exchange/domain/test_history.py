"""How far a history of rates reaches."""

from datetime import timedelta

from wxc.exchange.domain.history import DEFAULT_RANGE, MAX_RANGE


def test_a_history_is_of_thirty_days_unless_told_and_of_a_leap_year_at_most() -> None:
    assert timedelta(days=30) == DEFAULT_RANGE
    assert timedelta(days=366) == MAX_RANGE

from datetime import UTC, datetime, timedelta

import pytest

from wxc.exchange.domain.freshness import State, is_expired, reminder_time, state_at

CONFIRMED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "before", "after"),
    [
        (0.5, State.FRESH, State.AGING),
        (1, State.AGING, State.STALE),
        (3, State.STALE, State.EXPIRED),
    ],
)
@pytest.mark.parametrize("hours", [1, 24, 168])
def test_states_change_exactly_at_their_share_of_the_validity(
    hours: int, share: float, before: State, after: State
) -> None:
    edge = CONFIRMED + share * timedelta(hours=hours)

    assert state_at(CONFIRMED, hours, edge - timedelta(microseconds=1)) is before
    assert state_at(CONFIRMED, hours, edge) is after


def test_owner_is_reminded_after_four_fifths_of_the_validity() -> None:
    assert reminder_time(CONFIRMED, 10) == CONFIRMED + timedelta(hours=8)


def test_board_expires_after_exactly_three_times_its_validity() -> None:
    edge = CONFIRMED + timedelta(hours=72)

    assert is_expired(CONFIRMED, 24, edge)
    assert not is_expired(CONFIRMED, 24, edge - timedelta(microseconds=1))
    assert not is_expired(CONFIRMED, 24, CONFIRMED + timedelta(hours=24))

from datetime import UTC, datetime, time

import pytest

from wxc.exchange.domain.hours import OpeningPeriod, is_open, parse_period, time_zones

NIGHT = OpeningPeriod(1, time(22), time(2))
BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-12-07T00:59:59", False),
        ("2026-12-07T01:00:00", True),
        ("2026-12-07T10:29:59", True),
        ("2026-12-07T10:30:00", False),
        ("2026-12-08T02:00:00", False),
    ],
)
def test_hours_are_local_and_the_closing_time_is_exclusive(moment: str, expected: bool) -> None:
    hours = [OpeningPeriod(1, time(9), time(18, 30))]

    assert is_open(hours, "Asia/Singapore", utc(moment)) is expected


def test_a_period_past_midnight_starts_on_its_weekday() -> None:
    assert is_open([NIGHT], "UTC", utc("2026-12-07T22:00:00"))
    assert is_open([NIGHT], "UTC", utc("2026-12-08T01:59:00"))
    assert not is_open([NIGHT], "UTC", utc("2026-12-08T02:00:00"))
    assert not is_open([NIGHT], "UTC", utc("2026-12-07T01:00:00"))


def test_midnight_to_midnight_is_the_whole_day() -> None:
    whole = [OpeningPeriod(1, time(0), time(0))]

    assert is_open(whole, "UTC", utc("2026-12-07T00:00:00"))
    assert is_open(whole, "UTC", utc("2026-12-07T23:59:59"))
    assert not is_open(whole, "UTC", utc("2026-12-08T00:00:00"))


def test_a_skipped_local_time_counts_from_the_start_of_the_gap() -> None:
    """Berlin, 29 March 2026: 01:59:59 is followed by 03:00:00, at 01:00 UTC."""
    hours = [OpeningPeriod(7, time(2, 30), time(4))]

    assert not is_open(hours, BERLIN, utc("2026-03-29T01:29:59"))
    assert is_open(hours, BERLIN, utc("2026-03-29T01:30:00"))
    assert not is_open(hours, BERLIN, utc("2026-03-29T02:00:00"))


def test_a_repeated_local_time_means_its_first_occurrence() -> None:
    """Berlin, 25 October 2026: 02:59:59 is followed by 02:00:00, at 01:00 UTC."""
    hours = [OpeningPeriod(6, time(22), time(2, 30)), OpeningPeriod(7, time(2, 45), time(3, 30))]

    assert is_open(hours, BERLIN, utc("2026-10-25T00:29:59"))
    assert not is_open(hours, BERLIN, utc("2026-10-25T00:30:00"))
    assert is_open(hours, BERLIN, utc("2026-10-25T00:45:00"))
    assert is_open(hours, BERLIN, utc("2026-10-25T02:29:59"))
    assert not is_open(hours, BERLIN, utc("2026-10-25T02:30:00"))


def test_time_zones_exclude_names_that_are_not_time_zones() -> None:
    assert {"Asia/Hong_Kong", "Europe/London", "UTC"} <= time_zones()
    assert not {"Factory", "localtime", "posixrules"} & time_zones()


def test_opening_period_is_parsed_from_its_texts() -> None:
    assert parse_period(3, "09:30", "18:00") == OpeningPeriod(3, time(9, 30), time(18))


def test_equal_opening_periods_and_time_zones_are_parsed_once() -> None:
    assert parse_period(5, "08:00", "20:00") is parse_period(5, "08:00", "20:00")
    assert time_zones() is time_zones()

from pathlib import Path

import pytest
from tests.support import progress
from tests.support.progress import ProgressLines

from dev_tools import commands
from dev_tools.__main__ import main
from dev_tools.paths import Checkout

PLUGIN = Path(progress.__file__)


class Report:
    """The end of a phase of a test."""

    nodeid = "tests/test_it.py::test_it"

    def __init__(self, when: str, *, failed: bool = False) -> None:
        self.when, self.failed = when, failed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as a list of one element."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_line_of_progress_is_printed_every_15_seconds(clock: list[float]) -> None:
    printed: list[str] = []
    lines = ProgressLines(printed.append)
    lines.pytest_xdist_node_collection_finished(None, [str(number) for number in range(2000)])

    for number in range(1000):
        clock[0] = number * 0.1
        for when in ("setup", "call", "teardown"):
            lines.pytest_runtest_logreport(Report(when))  # type: ignore[arg-type]

    assert len(printed) == 6
    assert printed[0] == "  7 %  150 of 2,000 tests, 0 failed, 0:15 min"
    assert printed[5].endswith("1:30 min")


def test_a_failure_is_printed_when_it_happens(clock: list[float]) -> None:
    printed: list[str] = []
    lines = ProgressLines(printed.append)

    lines.pytest_runtest_logreport(Report("call", failed=True))  # type: ignore[arg-type]

    assert printed == ["FAILED tests/test_it.py::test_it"]


def test_the_whole_suite_shows_its_expected_time_its_progress_and_its_duration(
    checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    support = checkout.root / "tests" / "support"
    support.mkdir(parents=True)
    (support / PLUGIN.name).write_text(
        PLUGIN.read_text().replace("_INTERVAL_SECONDS = 15.0", "_INTERVAL_SECONDS = 0.0")
    )
    (checkout.root / "test_it.py").write_text(
        "def test_good():\n    pass\ndef test_bad():\n    assert False\n"
    )
    urls = {"DATABASE_URL": "mine", "REDIS_URL": "mine"}

    assert main(["test"], environ | urls, checkout) == 1

    shown = capfd.readouterr()
    start, *_, end = shown.err.splitlines()
    lines = shown.out.splitlines()
    assert "whole test suite" in start
    assert "about 13 minutes on two cores" in start
    assert end.startswith("The tests failed after 0 min ")
    assert "100 %  2 of 2 tests, 1 failed, " in shown.out
    assert "FAILED test_it.py::test_bad" in lines
    assert not {".", ".F", "F."} & set(lines)


@pytest.mark.parametrize(("cpus", "workers"), [(1, "2"), (2, "2"), (3, "3"), (64, "4")])
def test_the_whole_suite_uses_two_to_four_workers(
    monkeypatch: pytest.MonkeyPatch, checkout: Checkout, cpus: int, workers: str
) -> None:
    runs: list[list[str]] = []
    monkeypatch.setattr(commands, "available_cpus", lambda: cpus)
    monkeypatch.setattr(commands, "_run_pytest", lambda arguments, *_: runs.append(arguments))

    commands.test([], checkout, {})

    assert runs[0][:3] == ["-n", workers, "--cov"]


def test_at_least_one_processor_is_available() -> None:
    assert commands.available_cpus() >= 1

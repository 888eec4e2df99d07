"""pytest plugin of `./dev test`: prints a line of progress at intervals instead of dots.

For output that is not a terminal, where dots would fill thousands of characters.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence

import pytest

_INTERVAL_SECONDS = 15.0
Status = tuple[str, str, str | tuple[str, Mapping[str, bool]]]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the workers of xdist print nothing
        config.pluginmanager.register(ProgressLines(config.get_terminal_writer().line))


class ProgressLines:
    """Counts the finished tests and prints a line every 15 seconds, and one for each failure."""

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print_line = print_line
        self._total = self._finished = self._failed = 0
        self._started = self._printed = time.monotonic()

    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:
        self._total = len(ids)  # each worker collects all tests

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Status, Status]:
        """Remove the letter or dot that pytest would print for each test."""
        category, _, word = yield
        return category, "", word

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed += 1
            self._print_line(f"FAILED {report.nodeid}")
        self._finished += report.when == "teardown"
        if time.monotonic() - self._printed >= _INTERVAL_SECONDS:
            self._printed = time.monotonic()
            self._print_line(self._summary())

    def _summary(self) -> str:
        share = 100 * self._finished // max(1, self._total)
        seconds = int(self._printed - self._started)
        return (
            f"{share:3d} %  {self._finished:,} of {self._total:,} tests, "
            f"{self._failed} failed, {seconds // 60}:{seconds % 60:02d} min"
        )

"""The performance targets, and whether a run has reached them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import auth, growth, mixed_load, sql
from bench.load import Findings, Round

_BOTTLENECK_UTILISATION = 0.8
"""The utilisation of the application's processor from which it counts as the bottleneck."""


@dataclass(frozen=True)
class TargetResult:
    """A target and the measured value."""

    name: str
    must: str
    aim: str
    measured: float
    remark: str
    verdict: str
    """`aim`, `must` or `missed`."""


@dataclass(frozen=True)
class _Target:
    name: str
    must: float
    aim: float
    measured: Callable[[Findings], float]
    unit: str = ""
    is_floor: bool = False
    remark: Callable[[Findings], str] = lambda _: ""

    def evaluate(self, findings: Findings) -> TargetResult:
        value = self.measured(findings)
        sign = "≥" if self.is_floor else "≤"
        reached = [
            value >= bound if self.is_floor else value <= bound for bound in (self.aim, self.must)
        ]
        return TargetResult(
            self.name,
            f"{sign}{self.must:g}{self.unit}",
            f"{sign}{self.aim:g}{self.unit}",
            value,
            f"{self.unit}{self.remark(findings)}",
            "aim" if reached[0] else "must" if reached[1] else "missed",
        )


def evaluate(findings: Findings) -> Sequence[TargetResult]:
    """The targets that this run has measured."""
    results: list[TargetResult] = []
    for target in _TARGETS:
        try:
            results.append(target.evaluate(findings))
        except KeyError:  # the run did not include that bench
            continue
    return results


def has_missed(results: Sequence[TargetResult]) -> bool:
    return any(result.verdict == "missed" for result in results)


def _ratio(figure: Callable[[Round], float], name: str, to: str) -> Callable[[Findings], float]:
    return lambda findings: figure(findings.rounds[name]) / figure(findings.rounds[to])


def _figure(name: str) -> Callable[[Findings], float]:
    return lambda findings: findings.figures[name]


def _single_connection_p50(name: str) -> Callable[[Findings], float]:
    return lambda findings: findings.rounds[name].p50_alone


def _app_cpu(median: Round) -> float:
    return median.app_cpu


def _speed(median: Round) -> float:
    return median.requests_per_second


def _is_app_bottleneck(findings: Findings) -> bool:
    """Whether the processor of the product was the bottleneck; it may not be that of the limit."""
    return _app_utilisation(findings) >= _BOTTLENECK_UTILISATION


def _app_utilisation(findings: Findings) -> float:
    feed = findings.rounds[_FEED]
    return feed.requests_per_second * feed.app_cpu / 1_000_000


def _feed_speed_ratio(findings: Findings) -> float:
    """Requests per second if the product's processor was the bottleneck; otherwise CPU time."""
    if _is_app_bottleneck(findings):
        return _ratio(_speed, _FEED, _LIMIT)(findings)
    return _ratio(_app_cpu, _LIMIT, _FEED)(findings)


def _speed_remark(findings: Findings) -> str:
    if _is_app_bottleneck(findings):
        by_cpu = _ratio(_app_cpu, _LIMIT, _FEED)(findings)
        return f" ({_app_utilisation(findings):.0%} busy; {by_cpu:.2f} by CPU time)"
    return f" by CPU time ({_ratio(_speed, _FEED, _LIMIT)(findings):.2f} where the database is it)"


_FEED, _LIMIT = "feed", "the limit of feed"
_TARGETS: Sequence[_Target] = (
    _Target("feed, app CPU ÷ the limit's", 1.6, 1.4, _ratio(_app_cpu, _FEED, _LIMIT)),
    _Target(
        "feed, requests/s ÷ the limit's, the app's processor the bottleneck",
        *(0.5, 0.7, _feed_speed_ratio),
        is_floor=True,
        remark=_speed_remark,
    ),
    _Target(
        "auth share of it, 32 at once",
        *(50, 20, _figure(auth.AT_ONCE), " µs"),
        remark=lambda findings: f" ({findings.figures[auth.ONE_BY_ONE]:.0f} one by one)",
    ),
    _Target("feed SQL p50 at 2,000 followees ÷ at 60", 2, 1.2, _figure(sql.RATIO)),
    _Target(
        "deep page ÷ first page, requests/s",
        *(0.75, 0.9, _ratio(_speed, "feed-deep", _FEED)),
        is_floor=True,
    ),
    _Target(
        "thread of 10,000 comments, first page, p50", 6, 3, _single_connection_p50("thread"), " ms"
    ),
    _Target(
        "best rate within 5 km of 100,000 boards, p50",
        10,
        4,
        _single_connection_p50("exchange-search"),
        " ms",
    ),
    _Target(
        "like, app CPU ÷ one bare statement's",
        2.1,
        1.7,
        _ratio(_app_cpu, "like", "the limit of like"),
    ),
    _Target(
        "`/livez` p99 while logins saturate hashing ÷ idle",
        4,
        2,
        _figure(mixed_load.RATIO),
    ),
    _Target("feed p50, 10^6 posts ÷ 10^4 posts", 1.5, 1.1, _figure(growth.RATIO)),
)

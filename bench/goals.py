"""What is to be reached, and whether a run has reached it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import auth, growth, mix, sql
from bench.load import Findings, Round

_BUSY = 0.8  # of the application's processor: so much, and it is what holds things up


@dataclass(frozen=True)
class Judged:
    """A goal, and what was measured."""

    name: str
    must: str
    aim: str
    measured: float
    remark: str
    verdict: str
    """`aim`, `must` or `missed`."""


@dataclass(frozen=True)
class _Goal:
    name: str
    must: float
    aim: float
    measured: Callable[[Findings], float]
    unit: str = ""
    is_floor: bool = False
    remark: Callable[[Findings], str] = lambda _: ""

    def judge(self, found: Findings) -> Judged:
        value = self.measured(found)
        sign = "≥" if self.is_floor else "≤"
        reached = [
            value >= bound if self.is_floor else value <= bound for bound in (self.aim, self.must)
        ]
        return Judged(
            self.name,
            f"{sign}{self.must:g}{self.unit}",
            f"{sign}{self.aim:g}{self.unit}",
            value,
            f"{self.unit}{self.remark(found)}",
            "aim" if reached[0] else "must" if reached[1] else "missed",
        )


def judge(found: Findings) -> Sequence[Judged]:
    """The goals that this run has measured."""
    judged: list[Judged] = []
    for goal in _GOALS:
        try:
            judged.append(goal.judge(found))
        except KeyError:  # that bench was not among those that ran
            continue
    return judged


def is_missed(judged: Sequence[Judged]) -> bool:
    """Whether anything is missing that must not."""
    return any(one.verdict == "missed" for one in judged)


def _ratio(figure: Callable[[Round], float], name: str, to: str) -> Callable[[Findings], float]:
    return lambda found: figure(found.rounds[name]) / figure(found.rounds[to])


def _figure(name: str) -> Callable[[Findings], float]:
    return lambda found: found.figures[name]


def _alone(name: str) -> Callable[[Findings], float]:
    return lambda found: found.rounds[name].p50_alone


def _app_cpu(one: Round) -> float:
    return one.app_cpu


def _speed(one: Round) -> float:
    return one.requests_per_second


def _is_bound_by_app(found: Findings) -> bool:
    """Whether the product's processor was what held it up; the limit is free to find its own."""
    return _busy_share(found) >= _BUSY


def _busy_share(found: Findings) -> float:
    feed = found.rounds[_FEED]
    return feed.requests_per_second * feed.app_cpu / 1_000_000


def _speed_of_feed(found: Findings) -> float:
    """As measured if the product's processor was the bottleneck; else what it could do."""
    if _is_bound_by_app(found):
        return _ratio(_speed, _FEED, _LIMIT)(found)
    return _ratio(_app_cpu, _LIMIT, _FEED)(found)


def _how_fast(found: Findings) -> str:
    if _is_bound_by_app(found):
        by_cpu = _ratio(_app_cpu, _LIMIT, _FEED)(found)
        return f" ({_busy_share(found):.0%} busy; {by_cpu:.2f} by CPU time)"
    return f" by CPU time ({_ratio(_speed, _FEED, _LIMIT)(found):.2f} where the database is it)"


_FEED, _LIMIT = "feed", "the limit of feed"
_GOALS: Sequence[_Goal] = (
    _Goal("feed, app CPU ÷ the limit's", 2.4, 1.6, _ratio(_app_cpu, _FEED, _LIMIT)),
    _Goal(
        "feed, requests/s ÷ the limit's, the app's processor the bottleneck",
        *(0.5, 0.7, _speed_of_feed),
        is_floor=True,
        remark=_how_fast,
    ),
    _Goal(
        "auth share of it, 32 at once",
        *(50, 20, _figure(auth.AT_ONCE), " µs"),
        remark=lambda found: f" ({found.figures[auth.ONE_BY_ONE]:.0f} one by one)",
    ),
    _Goal("feed SQL p50 at 2,000 followees ÷ at 60", 2, 1.2, _figure(sql.RATIO)),
    _Goal(
        "deep page ÷ first page, requests/s",
        *(0.75, 0.9, _ratio(_speed, "feed-deep", _FEED)),
        is_floor=True,
    ),
    _Goal("thread of 10,000 comments, first page, p50", 6, 3, _alone("thread"), " ms"),
    _Goal("best rate within 5 km of 100,000 boards, p50", 10, 4, _alone("exchange-search"), " ms"),
    _Goal(
        "like, app CPU ÷ one bare statement's",
        4,
        2.5,
        _ratio(_app_cpu, "like", "the limit of like"),
    ),
    _Goal(
        "`/livez` p99 while logins saturate hashing ÷ idle",
        4,
        2,
        _figure(mix.RATIO),
    ),
    _Goal("feed p50, 10^6 posts ÷ 10^4 posts", 1.5, 1.1, _figure(growth.RATIO)),
)

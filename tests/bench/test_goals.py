"""Each goal is judged by what a run has measured, and a run that misses one is a failure."""

from dataclasses import replace

import pytest

from bench import __main__ as names
from bench import auth, goals, growth, mix, report, sql
from bench.choice import choose
from bench.load import Findings, Round
from bench.throughput import limit_of

LIGHT = Round(1000.0, 30.0, 60.0, 2.5, 950.0, 800.0, 0.5)
RATIOS = (auth.AT_ONCE, auth.ONE_BY_ONE, sql.RATIO, mix.RATIO, growth.RATIO)


@pytest.fixture
def everything() -> Findings:
    """What `all` finds on a day on which every aim is reached."""
    limits = [limit_of(name) for name in ("feed", "like")]
    rounds = dict.fromkeys((*names.WORKLOADS, *limits), LIGHT)
    return Findings(rounds, dict.fromkeys(RATIOS, 1.0))


def test_a_run_of_all_judges_every_goal(everything: Findings) -> None:
    judged = goals.judge(everything)

    assert len(judged) == len(goals._GOALS) == 10
    assert {one.verdict for one in judged} == {"aim"}
    assert not goals.is_missed(judged)


def test_what_was_not_measured_is_not_judged(everything: Findings) -> None:
    del everything.rounds["like"], everything.figures[mix.RATIO]

    said = [one.name for one in goals.judge(everything)]

    assert len(said) == 8
    assert not any("like" in name or "livez" in name for name in said)


@pytest.mark.parametrize(
    ("cpu", "verdict"), [(1.6, "aim"), (1.61, "must"), (2.4, "must"), (2.41, "missed")]
)
def test_less_is_better_of_what_is_spent(everything: Findings, cpu: float, verdict: str) -> None:
    everything.rounds["feed"] = replace(LIGHT, app_cpu=950.0 * cpu)

    assert goals.judge(everything)[0].verdict == verdict


@pytest.mark.parametrize(
    ("speed", "verdict"), [(900, "aim"), (899, "must"), (750, "must"), (749, "missed")]
)
def test_more_is_better_of_what_is_done(everything: Findings, speed: float, verdict: str) -> None:
    everything.rounds["feed-deep"] = replace(LIGHT, requests_per_second=speed)

    deep = next(one for one in goals.judge(everything) if one.name.startswith("deep page"))
    assert (deep.verdict, deep.must) == (verdict, "≥0.75")


def test_speed_is_that_of_the_application_also_where_the_database_holds_it_up(
    everything: Findings,
) -> None:
    everything.rounds["feed"] = replace(LIGHT, requests_per_second=400.0, app_cpu=1900.0)

    assert goals.judge(everything)[1].measured == 0.5
    assert "0.40" in goals.judge(everything)[1].remark
    everything.rounds["feed"] = replace(LIGHT, requests_per_second=500.0, app_cpu=1900.0)
    assert goals.judge(everything)[1].measured == 0.5
    assert goals.judge(everything)[1].remark == " (95% busy; 0.50 by CPU time)"


@pytest.mark.parametrize(
    ("ratio", "verdict", "code"), [(1.0, "aim", 0), (3.0, "must", 0), (4.5, "missed", 1)]
)
def test_a_run_that_misses_what_must_be_reached_fails(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ratio: float,
    verdict: str,
    code: int,
) -> None:
    monkeypatch.setattr(names, "has_wrk", lambda: True)
    found = Findings(figures={mix.RATIO: ratio})
    monkeypatch.setattr(names, "BENCHES", {"login-mix": lambda _: found})

    assert names.main(["login-mix"]) == code

    assert capsys.readouterr().out.split()[-1] == verdict


def test_goals_are_in_the_report(everything: Findings) -> None:
    judged = goals.judge(everything)
    facts = report.facts(everything, judged, choose([]))

    assert facts["goals"][0]["verdict"] == "aim"
    assert "| feed, app CPU ÷ the limit's | ≤2.4 | ≤1.6 | 1.00 | aim |" in report.page(
        facts, everything, judged
    )

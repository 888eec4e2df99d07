from dataclasses import replace

import pytest

from bench import __main__ as names
from bench import auth, growth, mixed_load, report, sql, targets
from bench.load import Findings, Round
from bench.options import parse_options
from bench.throughput import limit_of

LIGHT = Round(1000.0, 30.0, 60.0, 2.5, 950.0, 800.0, 0.5)
RATIOS = (auth.AT_ONCE, auth.ONE_BY_ONE, sql.RATIO, mixed_load.RATIO, growth.RATIO)


@pytest.fixture
def full_findings() -> Findings:
    """The findings of `all` if every aim is reached."""
    limits = [limit_of(name) for name in ("feed", "like")]
    rounds = dict.fromkeys((*names.WORKLOADS, *limits), LIGHT)
    return Findings(rounds, dict.fromkeys(RATIOS, 1.0))


def test_a_run_of_all_evaluates_every_target(full_findings: Findings) -> None:
    results = targets.evaluate(full_findings)

    assert len(results) == len(targets._TARGETS) == 10
    assert {result.verdict for result in results} == {"aim"}
    assert not targets.has_missed(results)


def test_targets_that_were_not_measured_are_omitted(full_findings: Findings) -> None:
    del full_findings.rounds["like"], full_findings.figures[mixed_load.RATIO]

    names_evaluated = [result.name for result in targets.evaluate(full_findings)]

    assert len(names_evaluated) == 8
    assert not any("like" in name or "livez" in name for name in names_evaluated)


@pytest.mark.parametrize(
    ("cpu", "verdict"), [(1.4, "aim"), (1.41, "must"), (1.6, "must"), (1.61, "missed")]
)
def test_cpu_time_has_an_upper_bound(full_findings: Findings, cpu: float, verdict: str) -> None:
    full_findings.rounds["feed"] = replace(LIGHT, app_cpu=950.0 * cpu)

    assert targets.evaluate(full_findings)[0].verdict == verdict


@pytest.mark.parametrize(
    ("speed", "verdict"), [(900, "aim"), (899, "must"), (750, "must"), (749, "missed")]
)
def test_requests_per_second_have_a_lower_bound(
    full_findings: Findings, speed: float, verdict: str
) -> None:
    full_findings.rounds["feed-deep"] = replace(LIGHT, requests_per_second=speed)

    deep = next(
        result for result in targets.evaluate(full_findings) if result.name.startswith("deep page")
    )
    assert (deep.verdict, deep.must) == (verdict, "≥0.75")


def test_speed_is_evaluated_by_cpu_time_if_the_database_is_the_bottleneck(
    full_findings: Findings,
) -> None:
    full_findings.rounds["feed"] = replace(LIGHT, requests_per_second=400.0, app_cpu=1900.0)

    assert targets.evaluate(full_findings)[1].measured == 0.5
    assert "0.40" in targets.evaluate(full_findings)[1].remark
    full_findings.rounds["feed"] = replace(LIGHT, requests_per_second=500.0, app_cpu=1900.0)
    assert targets.evaluate(full_findings)[1].measured == 0.5
    assert targets.evaluate(full_findings)[1].remark == " (95% busy; 0.50 by CPU time)"


@pytest.mark.parametrize(
    ("ratio", "verdict", "code"), [(1.0, "aim", 0), (3.0, "must", 0), (4.5, "missed", 1)]
)
def test_a_run_that_misses_a_required_target_fails(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ratio: float,
    verdict: str,
    code: int,
) -> None:
    monkeypatch.setattr(names, "has_wrk", lambda: True)
    findings = Findings(figures={mixed_load.RATIO: ratio})
    monkeypatch.setattr(names, "BENCHES", {"login-mix": lambda _: findings})

    assert names.main(["login-mix"]) == code

    assert capsys.readouterr().out.split()[-1] == verdict


def test_targets_are_in_the_report(full_findings: Findings) -> None:
    results = targets.evaluate(full_findings)
    facts = report.facts(full_findings, results, parse_options([]))

    assert facts["targets"][0]["verdict"] == "aim"
    assert "| feed, app CPU ÷ the limit's | ≤1.6 | ≤1.4 | 1.00 | aim |" in report.page(
        facts, full_findings, results
    )

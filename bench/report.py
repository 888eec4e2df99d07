"""What was found, as tables for people and as JSON for programs."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.against import comparisons
from bench.choice import Choice
from bench.goals import Judged
from bench.load import Findings, Round

_HERE = Path(__file__).parent
_ROUNDS = (
    "",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "p50 alone ms",
    "app CPU µs",
    "database CPU µs",
    "steal %",
)
_AGAINST = ("against {}", "requests per CPU second", "p50")
_FIGURES = ("figure", "measured")
_GOALS = ("goal", "must", "aim", "measured", "verdict")
Table = Sequence[Sequence[str]]


def text(found: Findings, judged: Sequence[Judged], choice: Choice) -> str:
    """The tables for a terminal; empty ones are left out."""
    tables = [*_tables(found, judged), *_compared(found, choice)]
    return "\n\n".join(_aligned(table) for table in tables)


def facts(found: Findings, judged: Sequence[Judged], choice: Choice) -> dict[str, Any]:
    """All of it for programs, and what it was measured on."""
    commit = subprocess.run(
        ["git", "-C", str(_HERE), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "commit": commit or None,
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "members": choice.members,
        "rounds": choice.rounds,
        "seconds": choice.seconds,
        "medians": {name: asdict(one) for name, one in found.rounds.items()},
        "figures": found.figures,
        "goals": [asdict(one) for one in judged],
        "against": choice.against,
    }


def write(report: dict[str, Any], found: Findings, judged: Sequence[Judged]) -> None:
    """Put it where the repository keeps it."""
    (_HERE / "results.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    (_HERE / "results.md").write_text(page(report, found, judged))


def page(report: dict[str, Any], found: Findings, judged: Sequence[Judged]) -> str:
    """The tables in Markdown, below what they were measured on."""
    tables = "\n\n".join(_markdown(table) for table in _tables(found, judged))
    return (
        "# Results\n\n"
        f"Commit {report['commit']}, {report['at']}, Python {report['python']}, "
        f"{report['processors']} processors, {report['members']:,} members; medians of "
        f"{report['rounds']} rounds of {report['seconds']} s. `bench/README.md` says what is "
        f"measured and how; `results.json` holds the same for programs.\n\n{tables}\n"
    )


def _tables(found: Findings, judged: Sequence[Judged]) -> Iterator[Table]:
    rounds = [(name, *_figures(one)) for name, one in found.rounds.items()]
    figures = [(name, _number(value)) for name, value in found.figures.items()]
    goals = [
        (one.name, one.must, one.aim, f"{_number(one.measured)}{one.remark}", one.verdict)
        for one in judged
    ]
    for head, lines in ((_ROUNDS, rounds), (_FIGURES, figures), (_GOALS, goals)):
        if lines:
            yield [head, *lines]


def _compared(found: Findings, choice: Choice) -> Iterator[Table]:
    if choice.against is not None:
        head = (_AGAINST[0].format(choice.against), *_AGAINST[1:])
        lines = [
            (one.name, f"{one.requests_per_cpu_second:.2f} times", f"{one.p50:.2f} times")
            for one in comparisons(found, choice.against)
        ]
        yield [head, *lines]


def _aligned(table: Table) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    )


def _markdown(table: Table) -> str:
    head, *lines = table
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


def _figures(one: Round) -> tuple[str, ...]:
    return (
        f"{one.requests_per_second:,.0f}",
        f"{one.p50:.1f}",
        f"{one.p99:.1f}",
        f"{one.p50_alone:.2f}",
        f"{one.app_cpu:,.0f}",
        f"{one.database_cpu:,.0f}",
        f"{one.steal:.1f}",
    )


def _number(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"

"""Reports of findings: tables and JSON."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.load import Findings, Round
from bench.options import Options
from bench.revisions import comparisons
from bench.targets import TargetResult

_HERE = Path(__file__).parent
_ROUND_HEADER = (
    "",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "p50 alone ms",
    "app CPU µs",
    "database CPU µs",
    "steal %",
)
_COMPARISON_HEADER = ("against {}", "requests per CPU second", "p50")
_FIGURE_HEADER = ("figure", "measured")
_TARGET_HEADER = ("target", "must", "aim", "measured", "verdict")
Table = Sequence[Sequence[str]]


def text(findings: Findings, results: Sequence[TargetResult], options: Options) -> str:
    """The tables for a terminal, without empty ones."""
    tables = [*_tables(findings, results), *_comparison_table(findings, options)]
    return "\n\n".join(_format_text(table) for table in tables)


def facts(findings: Findings, results: Sequence[TargetResult], options: Options) -> dict[str, Any]:
    """The findings as JSON values, with the environment in which they were measured."""
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
        "members": options.members,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "medians": {name: asdict(median) for name, median in findings.rounds.items()},
        "figures": findings.figures,
        "targets": [asdict(result) for result in results],
        "against": options.against,
    }


def write(report: dict[str, Any], findings: Findings, results: Sequence[TargetResult]) -> None:
    (_HERE / "results.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    (_HERE / "results.md").write_text(page(report, findings, results))


def page(report: dict[str, Any], findings: Findings, results: Sequence[TargetResult]) -> str:
    """The environment and the tables in Markdown."""
    tables = "\n\n".join(_format_markdown(table) for table in _tables(findings, results))
    return (
        "# Results\n\n"
        f"Commit {report['commit']}, {report['at']}, Python {report['python']}, "
        f"{report['processors']} processors, {report['members']:,} members; medians of "
        f"{report['rounds']} rounds of {report['seconds']} s. `bench/README.md` describes the "
        f"measurements; `results.json` has the same figures for programs.\n\n{tables}\n"
    )


def _tables(findings: Findings, results: Sequence[TargetResult]) -> Iterator[Table]:
    rounds = [(name, *_round_cells(median)) for name, median in findings.rounds.items()]
    figures = [(name, _format_number(value)) for name, value in findings.figures.items()]
    targets = [
        (
            result.name,
            result.must,
            result.aim,
            f"{_format_number(result.measured)}{result.remark}",
            result.verdict,
        )
        for result in results
    ]
    for head, lines in (
        (_ROUND_HEADER, rounds),
        (_FIGURE_HEADER, figures),
        (_TARGET_HEADER, targets),
    ):
        if lines:
            yield [head, *lines]


def _comparison_table(findings: Findings, options: Options) -> Iterator[Table]:
    if options.against is not None:
        head = (_COMPARISON_HEADER[0].format(options.against), *_COMPARISON_HEADER[1:])
        lines = [
            (
                comparison.name,
                f"{comparison.requests_per_cpu_second:.2f} times",
                f"{comparison.p50:.2f} times",
            )
            for comparison in comparisons(findings, options.against)
        ]
        yield [head, *lines]


def _format_text(table: Table) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    )


def _format_markdown(table: Table) -> str:
    head, *lines = table
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


def _round_cells(median: Round) -> tuple[str, ...]:
    return (
        f"{median.requests_per_second:,.0f}",
        f"{median.p50:.1f}",
        f"{median.p99:.1f}",
        f"{median.p50_alone:.2f}",
        f"{median.app_cpu:,.0f}",
        f"{median.database_cpu:,.0f}",
        f"{median.steal:.1f}",
    )


def _format_number(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"

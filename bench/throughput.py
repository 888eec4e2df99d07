"""`./dev bench NAME …`: how much one worker does, how long it takes, and what each request costs.

On a database of 50,000 members (kept between runs), with the server on one processor and all else
on the others. Beside the feed stands the machine's limit: the same SQL in a bare application.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.data import MEMBERS, filled
from bench.load import Request, Round, Target, has_wrk, measure
from bench.server import Served, served, serving_filled
from bench.workloads import WORKLOADS, Member, member_names

_HERE = Path(__file__).parent
_LIMIT = "the limit of feed"
_HEAD = ("", "requests/s", "p50 ms", "p99 ms", "app CPU µs", "database CPU µs", "steal %")


def main(names: Sequence[str], arguments: Sequence[str]) -> int:
    """Measure the workloads of these names, print a table and, if it is wanted, write it."""
    chosen = _parser().parse_args(arguments)
    if not has_wrk():
        sys.exit("There is no wrk; ./dev bench installs it on Debian and Ubuntu.")
    database_url = filled(chosen.members)
    with ExitStack() as stack:
        server = stack.enter_context(serving_filled(database_url))
        targets = [Target(name, server, WORKLOADS[name](server, database_url)) for name in names]
        if "feed" in names:
            targets.insert(0, stack.enter_context(_limit(server, database_url)))
        found = measure(targets, database_url, chosen.rounds, chosen.seconds, _say)
    report = _report(found, chosen)
    print(json.dumps(report, indent=2) if chosen.json else _table(found))
    if chosen.write:
        (_HERE / "results.json").write_text(json.dumps(report, indent=2) + "\n")
        (_HERE / "results.md").write_text(_page(found, report))
    return 0


@contextmanager
def _limit(server: Served, database_url: str) -> Iterator[Target]:
    """The bare application, asked for the feeds of the same members."""
    ids = [UUID(Member(server, name).get("/settings")["id"]) for name in member_names()]
    settings = {**os.environ, "DATABASE_URL": database_url}
    with served([sys.executable, "-m", "bench.limit"], settings) as bare:
        yield Target(_LIMIT, bare, [Request(f"/feeds?me={one}", {}) for one in ids])


def _report(found: dict[str, Round], chosen: argparse.Namespace) -> dict[str, Any]:
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
        "members": chosen.members,
        "rounds": chosen.rounds,
        "seconds": chosen.seconds,
        "medians": {name: asdict(one) for name, one in found.items()},
    }


def _table(found: dict[str, Round]) -> str:
    lines = [_HEAD, *((name, *_figures(one)) for name, one in found.items())]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _page(found: dict[str, Round], report: dict[str, Any]) -> str:
    rows = [_HEAD, ("---", *("---:" for _ in _HEAD[1:]))]
    rows += [(name, *_figures(one)) for name, one in found.items()]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return (
        "# Results\n\n"
        f"Commit {report['commit']}, {report['at']}, Python {report['python']}, "
        f"{report['processors']} processors, {report['members']:,} members; medians of "
        f"{report['rounds']} rounds of {report['seconds']} s. `bench/README.md` says what is "
        f"measured and how; `results.json` holds the same for programs.\n\n{table}\n"
    )


def _figures(one: Round) -> tuple[str, ...]:
    return (
        f"{one.requests_per_second:,.0f}",
        f"{one.p50:.1f}",
        f"{one.p99:.1f}",
        f"{one.app_cpu:,.0f}",
        f"{one.database_cpu:,.0f}",
        f"{one.steal:.1f}",
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench NAME", description=__doc__)
    parser.add_argument("--members", type=int, default=MEMBERS, help="how many (default: 50,000)")
    parser.add_argument("--rounds", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--seconds", type=int, default=5, help="of a round (default: 5)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--write", action="store_true", help="write bench/results.md and .json")
    return parser
